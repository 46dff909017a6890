using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>Something about a replica that a person should know.</summary>
/// <param name="Replica">The replica.</param>
/// <param name="What">The finding, in a sentence.</param>
/// <param name="Fix">What to do; may be empty.</param>
/// <param name="IsFailure">Whether something does not work; otherwise it only needs a look.</param>
sealed record ReplicaFinding(ReplicaStatus Replica, string What, string Fix, bool IsFailure)
{
    /// <summary>An older error of the destination is over.</summary>
    static readonly TimeSpan recent = TimeSpan.FromMinutes(10);

    const string LookFurther = "./check finds the cause and says what to do";

    /// <summary>All findings, failures first.</summary>
    public static IReadOnlyList<ReplicaFinding> Of(IEnumerable<ReplicaStatus> rows) =>
        [.. rows.SelectMany(OfOne).OrderBy(finding => !finding.IsFailure)];

    static IEnumerable<ReplicaFinding> OfOne(ReplicaStatus row)
    {
        if (row.IsGone)
        {
            yield return new ReplicaFinding(
                row,
                "is gone: it stopped or was removed",
                $"docker compose ps -a {row.Endpoint.Host}; if nobody stopped it, docker compose logs {row.Endpoint.Host} says why",
                IsFailure: true
            );
            yield break;
        }
        if (row.Problem is { } problem)
        {
            yield return new ReplicaFinding(row, problem.What, problem.Fix, IsFailure: true);
            yield break;
        }
        foreach (var part in row.Info!.Parts.Where(part => part.Problem.Length > 0))
            yield return new ReplicaFinding(row, $"{part.Name}: {Clean(part.Problem)}", FixOf(row, part), IsFailure: true);
        if (!row.Info.Ready && row.Info.Parts.All(part => part.Problem.Length == 0))
            yield return new ReplicaFinding(row, "is not ready, and no part of it says why", LookFurther, IsFailure: true);
        foreach (var finding in row.Forwarder is { } forwarder ? OfForwarder(row, forwarder) : OfAgent(row, row.Agent!))
            yield return finding;
    }

    static IEnumerable<ReplicaFinding> OfForwarder(ReplicaStatus row, ForwarderStatus forwarder)
    {
        if (forwarder.Paused)
        {
            var reason = row.Info!.Parts.Select(part => part.Note)
                .FirstOrDefault(note => note.StartsWith("paused", StringComparison.Ordinal));
            yield return new ReplicaFinding(
                row,
                $"{Clean(reason ?? "delivery is paused")}; readings that arrive stay in its journals",
                "./thermalctl resume delivers again",
                IsFailure: false
            );
        }
        if (forwarder.LastError is { } error && row.Info!.Ready && IsRecent(row, error))
            yield return new ReplicaFinding(
                row,
                $"had an error, {Ago(row, error)} ago: {Clean(error.Message)}",
                Clean(error.Fix),
                IsFailure: false
            );
        if (forwarder.DeadLetters > 0)
            yield return new ReplicaFinding(
                row,
                $"{ShortText.Of(forwarder.DeadLetters, "dead letter")}: readings that could not be read or were refused",
                "./thermalctl dead-letters list says why; dead-letters replay sends them again",
                IsFailure: false
            );
    }

    static IEnumerable<ReplicaFinding> OfAgent(ReplicaStatus row, AgentStatus agent)
    {
        foreach (var sensor in agent.Sensors.Where(sensor => sensor.Problem.Length > 0))
            yield return new ReplicaFinding(
                row,
                $"sensor {sensor.Id}: {Clean(sensor.Problem)}",
                $"./thermalctl sensors test {sensor.Id}; docs/hardware.md has the wiring",
                IsFailure: false
            );
        if (agent.Clock == ClockState.Unsynchronised)
            yield return new ReplicaFinding(
                row,
                "the machine's clock is not synchronised: readings wait for it, or carry the flag clock:Unsynchronised",
                "timedatectl set-ntp true, and a network that reaches an NTP server; docs/operations.md, Time",
                IsFailure: false
            );
    }

    /// <summary>The fix of a part, taken from the destination's last error if that broke the part.</summary>
    static string FixOf(ReplicaStatus row, Part part) =>
        row.Forwarder?.LastError is { Fix.Length: > 0 } error && part.Problem.Contains(error.Message, StringComparison.Ordinal)
            ? Clean(error.Fix)
            : LookFurther;

    static bool IsRecent(ReplicaStatus row, Problem error) =>
        error.At is { } at && row.Info!.Time is { } now && now.ToDateTimeOffset() - at.ToDateTimeOffset() < recent;

    static string Ago(ReplicaStatus row, Problem error) => ShortText.Span(row.Info!.Time.ToDateTimeOffset() - error.At.ToDateTimeOffset());

    static string Clean(string text) => TerminalText.Plain(text.ReplaceLineEndings(" "));
}
