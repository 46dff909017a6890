namespace ThermalStreaming.Thermalctl;

/// <summary>The replicas known to <c>top</c>: those that answer, and for a while those that are gone. Thread-safe.</summary>
/// <param name="endpoints">The endpoints, in the order of the rows.</param>
/// <param name="clock">Measures how long replicas have been gone, and rates.</param>
sealed class TopModel(IReadOnlyList<ServiceEndpoint> endpoints, TimeProvider clock)
{
    /// <summary>How long a vanished replica is shown.</summary>
    static readonly TimeSpan gonePatience = TimeSpan.FromMinutes(1);

    /// <summary>Time over which an agent's rate is measured.</summary>
    static readonly TimeSpan rateWindow = TimeSpan.FromSeconds(10);

    readonly Lock gate = new();
    readonly Dictionary<(ServiceEndpoint, string), TopRow> rows = [];

    /// <summary>Records the latest answers of a service's replicas.</summary>
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
                // A service that has never answered is not gone but not found. A replica that returned under another address is not gone
                // either.
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
        // A service whose gone replica has a row needs no second row.
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
