namespace ThermalStreaming.Thermalctl;

/// <summary>The current state of a service's container.</summary>
/// <param name="Service">Its Compose service.</param>
/// <param name="Id">Its id.</param>
/// <param name="State">Its state.</param>
/// <param name="Address">Its address in its network; null while it does not run.</param>
sealed record ServiceContainer(string Service, string Id, ContainerState State, string? Address)
{
    /// <summary>The result of Docker's health check; null for a container without one, or one that is not running.</summary>
    public string? Health => State is { Status: "running", Health.Status: not "none" } ? State.Health.Status : null;

    public bool IsRunning => State.Status == "running";

    /// <summary>Whether it ended although it should run, or ended badly.</summary>
    public bool HasFailed =>
        State.Status switch
        {
            "exited" => !ContainerCheck.Ends(Service) || State.ExitCode != 0,
            "dead" or "restarting" => true,
            _ => false,
        };
}
