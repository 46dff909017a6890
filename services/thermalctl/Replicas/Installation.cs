using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>The services that a verb asks, all at once. Not thread-safe.</summary>
/// <param name="endpoints">Where they are.</param>
/// <param name="options">How to call them.</param>
/// <param name="patience">Time limit for a replica's answer, and for the DNS before it.</param>
sealed class Installation(IEnumerable<ServiceEndpoint> endpoints, ControlOptions options, TimeSpan patience) : IDisposable
{
    /// <summary>Time limit for a replica's answer, and for the DNS before it.</summary>
    public TimeSpan Patience => patience;

    /// <summary>One entry for each name.</summary>
    public IReadOnlyList<ServiceReplicas> Services { get; } = [.. endpoints.Select(endpoint => new ServiceReplicas(endpoint, options))];

    /// <summary>Whether there is a token for changes.</summary>
    public bool HasToken => options.Token is not null;

    /// <summary>The status of every replica, in the order of the data flow, then by name.</summary>
    public async Task<IReadOnlyList<ReplicaStatus>> AskAsync(CancellationToken cancellationToken)
    {
        var rows = await Task.WhenAll(Services.Select(service => service.AskAsync(Patience, cancellationToken)));
        return [.. rows.SelectMany(service => service.OrderBy(row => row.Replica, StringComparer.Ordinal))];
    }

    public void Dispose()
    {
        foreach (var service in Services)
            service.Dispose();
    }
}
