namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Applies a change of the broker's users, made by <c>setup</c>, to the running broker, and proves it by logging in. If the broker is not
/// running, the change takes effect when it starts.
/// </summary>
sealed class DeviceChange(DockerEngine docker, RunningProject project, Narrator narrator, TimeProvider clock)
{
    const string RestartBroker = "docker compose restart mosquitto";
    const int LoginAttempts = 10;
    const int ConnectionLooks = 30;

    static readonly TimeSpan pause = TimeSpan.FromSeconds(2);

    /// <param name="name">The device.</param>
    /// <param name="answer">Output of <c>setup enroll</c>: the password, and a line for the broker.</param>
    /// <param name="hostName">The name of this machine.</param>
    /// <param name="cancellationToken">Ends the attempts.</param>
    /// <exception cref="FailureException">The broker refuses the device.</exception>
    public async Task EnrolledAsync(string name, string answer, string hostName, CancellationToken cancellationToken)
    {
        var (password, commands) = Parse(answer);
        var broker = await ApplyAsync(commands, cancellationToken);
        if (broker is not null)
        {
            if (await LogInAsync(() => broker.TryAsync(name, password, cancellationToken), cancellationToken) is { } refused)
                throw new FailureException(
                    $"{name} was enrolled, but the broker refuses its login",
                    $"The broker says: {refused}",
                    RestartBroker
                );
            narrator.Say($"the broker accepts its login; it may publish to telemetry/v1/{name}/thermal, inverter and status");
            if (BrokerCommands.MappedTopics(commands) is { Count: > 0 } mapped)
                narrator.Say($"and, by the mappings in use, to {string.Join(", ", mapped)}");
        }
        var authority = broker is null ? "" : await broker.AuthorityAsync(cancellationToken);
        DeviceInstructions.Show(project.Settings, narrator, name, password, hostName, authority);
    }

    /// <param name="name">The device.</param>
    /// <param name="answer">Output of <c>setup revoke</c>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task RevokedAsync(string name, string answer, CancellationToken cancellationToken)
    {
        await ApplyAsync(answer.Trim(), cancellationToken);
        narrator.Say($"{name} may not connect any more; its readings in Snowflake stay");
    }

    /// <summary>
    /// The service reads its new password when it reconnects: nothing is stopped, and readings wait in journals for a second or two.
    /// </summary>
    /// <param name="name">The service.</param>
    /// <param name="answer">Output of <c>setup rotate</c>: the password, and a line for the broker.</param>
    /// <param name="cancellationToken">Ends the attempts.</param>
    /// <exception cref="FailureException">The broker refuses the new password.</exception>
    public async Task RotatedAsync(string name, string answer, CancellationToken cancellationToken)
    {
        var (password, commands) = Parse(answer);
        if (await ApplyAsync(commands, cancellationToken) is not { } broker)
            return;
        if (await LogInAsync(() => broker.LogInAsync($"{name}/check", password, cancellationToken), cancellationToken) is { } refused)
            throw new FailureException(
                $"the broker does not accept the new password of {name}",
                $"The broker says: {refused}",
                RestartBroker
            );
        narrator.Say("the broker accepts the new password and has ended the connections that were made with the old one");
        if (name == ServiceUsers.Publisher)
        {
            narrator.Say("new password: docker compose exec -T mosquitto cat /run/mqtt/password");
            return;
        }
        for (var look = 0; look < ConnectionLooks; look++)
        {
            if (await IsConnectedAsync(name, cancellationToken))
            {
                narrator.Say($"{name} is connected; no reading was lost");
                return;
            }
            await Task.Delay(pause, clock, cancellationToken);
        }
        narrator.Warn($"{name} has not connected again within a minute: docker compose logs {name}");
    }

    async Task<RunningBroker?> ApplyAsync(string commands, CancellationToken cancellationToken)
    {
        var broker = await RunningBroker.FindAsync(docker, project.Settings, cancellationToken);
        if (broker is null)
            narrator.Say("the broker does not run; the change takes effect when it starts");
        else if ((await broker.ApplyAsync(commands, cancellationToken)).ExitCode != 0)
            narrator.Warn("the running broker did not accept the change at once; it restarts with the new users within seconds");
        return broker;
    }

    /// <summary>Retries: a broker that had to restart may know the old password for a moment.</summary>
    /// <returns>The broker's reason; null if it accepts the login.</returns>
    async Task<string?> LogInAsync(Func<Task<CommandOutput>> login, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var answer = await login();
            if (answer.ExitCode == 0)
                return null;
            if (attempt == LoginAttempts)
                return answer.LastLine;
            await Task.Delay(pause, clock, cancellationToken);
        }
    }

    async Task<bool> IsConnectedAsync(string service, CancellationToken cancellationToken)
    {
        var complaints = await project.ComplaintsAsync(await project.ReplicasAsync(cancellationToken), cancellationToken);
        string[] parts = [$"{service}: mqtt", $"{service}: broker"];
        return !complaints.Any(complaint => parts.Any(part => complaint.Text.StartsWith(part, StringComparison.Ordinal)));
    }

    static (string Password, string Commands) Parse(string answer) =>
        answer.Trim().Split('\n', 2) is [var password, var commands]
            ? (password.Trim(), commands.Trim())
            : throw new FailureException("setup did not print a password", "Its answer has one line", "run ./up, then run this again");
}
