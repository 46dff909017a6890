using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>The services that a verb asks, all at once. Not thread-safe.</summary>
/// <param name="endpoints">Where they are.</param>
/// <param name="options">How they are called.</param>
/// <param name="patience">How long a replica may take to say what it does, and the DNS before it.</param>
sealed class Installation(IEnumerable<ServiceEndpoint> endpoints, ControlOptions options, TimeSpan patience) : IDisposable
{
    /// <summary>How long a replica may take to say what it does, and the DNS before it.</summary>
    public TimeSpan Patience => patience;

    /// <summary>One for each name.</summary>
    public IReadOnlyList<ServiceReplicas> Services { get; } = [.. endpoints.Select(endpoint => new ServiceReplicas(endpoint, options))];

    /// <summary>Whether there is a token for what changes something.</summary>
    public bool HasToken => options.Token is not null;

    /// <summary>What every replica does now, in the order of the data's way, then by name.</summary>
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
