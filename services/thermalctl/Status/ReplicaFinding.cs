using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>Something about a replica that a person should know.</summary>
/// <param name="Replica">The replica; of a finding that replicas share, one of them.</param>
/// <param name="What">The finding, in sentences.</param>
/// <param name="Fix">What to do; may be empty.</param>
/// <param name="IsUrgent">Whether somebody must act; otherwise it only needs a look.</param>
/// <param name="IsShared">Whether it concerns every replica of the service.</param>
sealed record ReplicaFinding(ReplicaStatus Replica, string What, string Fix, bool IsUrgent, bool IsShared = false)
{
    /// <summary>What it is about, to begin a line with.</summary>
    public string Name => IsShared ? Replica.Service : Replica.Name;

    /// <summary>All findings, urgent ones first.</summary>
    public static IReadOnlyList<ReplicaFinding> Of(IReadOnlyList<ReplicaStatus> rows) =>
        [.. rows.SelectMany(OfOne).Concat(rows.GroupBy(row => row.Endpoint).SelectMany(OfVolume)).OrderBy(finding => !finding.IsUrgent)];

    static IEnumerable<ReplicaFinding> OfOne(ReplicaStatus row)
    {
        if (row.IsGone)
            return
            [
                new ReplicaFinding(
                    row,
                    "is gone: it stopped or was removed",
                    $"docker compose ps -a {row.Endpoint.Host}; if nobody stopped it, docker compose logs {row.Endpoint.Host} says why",
                    IsUrgent: true
                ),
            ];
        if (row.Problem is { } problem)
            return [new ReplicaFinding(row, problem.What, problem.Fix, IsUrgent: true)];
        return row.Findings.Select(finding => Shown(row, finding));
    }

    /// <summary>The replicas that one name stands for share a volume.</summary>
    static IEnumerable<ReplicaFinding> OfVolume(IEnumerable<ReplicaStatus> service)
    {
        var answers = service.Where(row => row is { HasAnswered: true, Forwarder: not null }).ToList();
        return ForwarderFindings
            .OfVolume([.. answers.Select(row => row.Forwarder!)])
            .Select(finding => Shown(answers[0], finding) with { IsShared = answers.Count > 1 });
    }

    static ReplicaFinding Shown(ReplicaStatus row, Finding finding) =>
        new(row, Clean(finding.Where.Length > 0 ? $"{finding.Where}: {finding.What}" : finding.What), Clean(finding.Fix), finding.IsUrgent);

    static string Clean(string text) => TerminalText.Plain(text.ReplaceLineEndings(" "));
}
