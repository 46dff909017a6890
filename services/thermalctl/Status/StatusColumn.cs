namespace ThermalStreaming.Thermalctl;

/// <summary>A column of the table of replicas.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="Text">Its text for a replica.</param>
/// <param name="IsNumber">Whether it is aligned to the right.</param>
/// <param name="LeavesAt">On a narrow screen the column with the highest number is dropped first; columns with 0 stay.</param>
sealed record StatusColumn(string Title, Func<ReplicaStatus, string> Text, bool IsNumber = true, int LeavesAt = 0)
{
    public static readonly IReadOnlyList<StatusColumn> All =
    [
        new("service", row => row.Service, IsNumber: false),
        new("replica", row => row.Replica, IsNumber: false, LeavesAt: 1),
        new("state", row => ReplicaStatus.Word(row.State), IsNumber: false),
        new("up", row => ShortText.Span(row.Uptime), LeavesAt: 6),
        new("version", row => row.Version ?? "-", IsNumber: false, LeavesAt: 8),
        new("readings", row => ShortText.Count(row.Readings), LeavesAt: 7),
        new("per s", row => ShortText.Rate(row.Rate), LeavesAt: 3),
        new("backlog", row => ShortText.Count(row.Backlog)),
        new("lag", row => ShortText.Span(row.Lag), LeavesAt: 2),
        new("delivered", row => ShortText.Count(row.Delivered), LeavesAt: 5),
        new("dead", row => ShortText.Count(row.DeadLetters), LeavesAt: 4),
    ];
}
