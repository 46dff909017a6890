namespace ThermalStreaming.Thermalctl;

/// <summary>The replicas of a service share one volume, so one of them speaks for all of it.</summary>
static class SharedVolumes
{
    /// <summary>One replica of each service: an answering one, if there is one.</summary>
    public static IReadOnlyList<ReplicaStatus> OneEach(this IEnumerable<ReplicaStatus> replicas) =>
        [.. replicas.GroupBy(replica => replica.Endpoint).Select(service => service.OrderBy(replica => !replica.HasAnswered).First())];
}
