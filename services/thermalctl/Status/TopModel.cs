namespace ThermalStreaming.Thermalctl;

/// <summary>The replicas as <c>top</c> knows them: those that answer, and for a while those that are gone. Thread-safe.</summary>
/// <param name="endpoints">In the order of the rows.</param>
/// <param name="clock">For how long one has been gone, and for rates.</param>
sealed class TopModel(IReadOnlyList<ServiceEndpoint> endpoints, TimeProvider clock)
{
    /// <summary>How long a replica that is gone is shown.</summary>
    static readonly TimeSpan gonePatience = TimeSpan.FromMinutes(1);

    /// <summary>Over how long the rate of an agent is measured.</summary>
    static readonly TimeSpan rateWindow = TimeSpan.FromSeconds(10);

    readonly Lock gate = new();
    readonly Dictionary<(ServiceEndpoint, string), TopRow> rows = [];

    /// <summary>Takes in what the replicas of a service answered just now.</summary>
    public void Update(ServiceEndpoint endpoint, IReadOnlyList<ReplicaStatus> answers)
    {
        var now = clock.GetTimestamp();
        lock (gate)
        {
            foreach (var answer in answers)
            {
                var key = (endpoint, answer.Address);
                if (!rows.TryGetValue(key, out var row))
                    rows[key] = row = new TopRow();
                row.Take(answer, now, clock, rateWindow);
            }
            foreach (var ((where, address), row) in rows.ToList())
            {
                if (where != endpoint || answers.Any(answer => answer.Address == address))
                    continue;
                // A service that has never answered is not gone, but not found; a replica that came back under another address is back.
                var isBack = answers.Any(answer => answer.Info is { } info && info.Replica == row.Latest.Info?.Replica);
                if (row.Latest.Info is null || isBack || clock.GetElapsedTime(row.SeenAt, now) > gonePatience)
                    rows.Remove((where, address));
                else
                    row.IsGone = true;
            }
        }
    }

    public IReadOnlyList<ReplicaStatus> Rows(TopSort sort, bool isReversed)
    {
        List<ReplicaStatus> all;
        lock (gate)
            all = [.. rows.Values.Select(row => row.Shown)];
        // Whose last replica is gone does not need to be told twice.
        all.RemoveAll(row => row.State == ReplicaState.NotRunning && all.Exists(other => other.IsGone && other.Endpoint == row.Endpoint));
        var ordered = all.OrderBy(row => 0);
        ordered = sort switch
        {
            TopSort.State => ordered.ThenBy(row => row.State),
            TopSort.Backlog => ordered.ThenByDescending(row => row.Backlog ?? 0),
            TopSort.Lag => ordered.ThenByDescending(row => row.Lag ?? TimeSpan.Zero),
            TopSort.Rate => ordered.ThenByDescending(row => row.Rate ?? 0),
            _ => ordered,
        };
        List<ReplicaStatus> sorted =
        [
            .. ordered
                .ThenBy(row => endpoints.TakeWhile(endpoint => endpoint != row.Endpoint).Count())
                .ThenBy(row => row.Replica, StringComparer.Ordinal),
        ];
        if (isReversed)
            sorted.Reverse();
        return sorted;
    }
}
