namespace ThermalStreaming.Thermalctl;

/// <summary>A container of a service, as it is now.</summary>
/// <param name="Service">Its Compose service.</param>
/// <param name="Id">Its id.</param>
/// <param name="State">How it is.</param>
/// <param name="Address">Its address in its network; null while it does not run.</param>
sealed record Replica(string Service, string Id, ContainerState State, string? Address)
{
    /// <summary>What Docker's health check says; null for a container without one, or that does not run.</summary>
    public string? Health => State is { Status: "running", Health.Status: not "none" } ? State.Health.Status : null;

    public bool IsRunning => State.Status == "running";

    /// <summary>It ended, although it should run, or was to end well.</summary>
    public bool HasFailed =>
        State.Status switch
        {
            "exited" => !ContainerCheck.Ends(Service) || State.ExitCode != 0,
            "dead" or "restarting" => true,
            _ => false,
        };
}
