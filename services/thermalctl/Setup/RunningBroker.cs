namespace ThermalStreaming.Thermalctl;

/// <summary>Controls the running broker by its script <c>broker</c>.</summary>
/// <param name="docker">The engine.</param>
/// <param name="id">Its container.</param>
sealed class RunningBroker(DockerEngine docker, string id)
{
    /// <returns>Null if the broker is not running.</returns>
    public static async Task<RunningBroker?> FindAsync(DockerEngine docker, ComposeProject project, CancellationToken cancellationToken)
    {
        var containers = await docker.ContainersAsync(project.Name, cancellationToken);
        return containers.FirstOrDefault(container => container is { Service: "mosquitto", IsRunning: true }) is { } found
            ? new RunningBroker(docker, found.Id)
            : null;
    }

    /// <summary>Sends it commands for its users.</summary>
    public Task<CommandOutput> ApplyAsync(string commands, CancellationToken cancellationToken) =>
        GiveAsync(commands, "broker apply", cancellationToken);

    /// <summary>Logs in as a device and publishes a status.</summary>
    public Task<CommandOutput> TryAsync(string device, string password, CancellationToken cancellationToken) =>
        GiveAsync(password, $"broker try {device}", cancellationToken);

    /// <summary>Logs in.</summary>
    public Task<CommandOutput> LogInAsync(string user, string password, CancellationToken cancellationToken) =>
        GiveAsync(password, $"broker login {user}", cancellationToken);

    /// <summary>The certificate of its authority, as text; empty if it has none.</summary>
    public async Task<string> AuthorityAsync(CancellationToken cancellationToken) =>
        (await docker.ExecuteAsync(id, ["cat", "/mosquitto/auth/ca.crt"], cancellationToken)).Output.Trim();

    // Through the environment: a command line is visible in every list of processes.
    Task<CommandOutput> GiveAsync(string input, string command, CancellationToken cancellationToken) =>
        docker.ExecuteAsync(id, ["sh", "-c", $"printf '%s\\n' \"$INPUT\" | {command}"], cancellationToken, $"INPUT={input}");
}
