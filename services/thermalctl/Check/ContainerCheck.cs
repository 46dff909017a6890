using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>The step of <c>check</c> that judges a container by Docker's data.</summary>
static class ContainerCheck
{
    /// <summary>Services that do their work and exit.</summary>
    public static bool Ends(string service) => service is "setup" or "demo-key";

    /// <summary>Judges a container by its state; <paramref name="lastLine"/> is the last line of its log.</summary>
    public static CheckResult Judge(string service, ContainerState state, string lastLine)
    {
        const string BadSettings = "correct .env, then ./up --no-build";
        var see = $"docker compose logs {service}";
        return (state.Status, state.ExitCode) switch
        {
            ("exited", 0) when Ends(service) => CheckResult.Ok("did its work"),
            ("exited", var code) when Ends(service) => CheckResult.Failed($"ended with {code}", lastLine, see),
            ("running", _) => Running(state.Health, see),
            ("exited", 0) => CheckResult.Failed("was stopped", "Somebody stopped it, or the machine was shut down.", "./up --no-build"),
            ("exited", BadConfiguration) => CheckResult.Failed("does not accept its settings", lastLine, BadSettings),
            ("exited", var code) => CheckResult.Failed($"exited with code {code}", lastLine, $"{see}; ./up --no-build"),
            (var other, BadConfiguration) => CheckResult.Failed($"{other}: it does not accept its settings", lastLine, BadSettings),
            var (other, code) => CheckResult.Failed($"{other}, exit code {code}", lastLine, $"{see}; ./up --no-build"),
        };
    }

    const int BadConfiguration = ExitCodes.BadConfiguration;

    static CheckResult Running(ContainerHealth? health, string see) =>
        health?.Status switch
        {
            "unhealthy" => CheckResult.Failed("runs, but is unhealthy", health.Complaint, $"see its own check below; {see}"),
            "starting" => CheckResult.Warning("is starting", "It was started less than a minute ago.", "wait, then ./check again"),
            null or "none" => CheckResult.Ok("runs"),
            var status => CheckResult.Ok($"runs, {status}"),
        };
}
