using System.Diagnostics.Metrics;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>How long calls to Snowflake take, and how far its clock is from this machine's. Thread-safe.</summary>
/// <param name="meter">The service's meter.</param>
/// <param name="requests">Counts requests.</param>
sealed class SnowflakeMetrics(Meter meter, RequestMetrics requests)
{
    /// <summary>A connection whose requests are measured.</summary>
    public HttpMessageHandler Measured(HttpMessageHandler connection) => new TimedRequests(connection, Operation, requests);

    /// <summary>Publishes the clock's difference. Call it once.</summary>
    public void Observe(ServerClock clock) =>
        meter.CreateObservableGauge(
            "thermal.snowpipe.clock.offset",
            () => clock.Offset is { } offset ? [new Measurement<double>(offset.TotalSeconds)] : (IEnumerable<Measurement<double>>)[],
            "s",
            "How much Snowflake's clock is ahead of this machine's; absent until it has answered"
        );

    /// <summary>Which of Snowflake's calls a request is (SnowpipeClient, SnowflakeTokens).</summary>
    internal static string Operation(HttpRequestMessage request)
    {
        var path = request.RequestUri!.AbsolutePath;
        return path.EndsWith("/rows", StringComparison.Ordinal) ? "append"
            : path.EndsWith(":bulk-channel-status", StringComparison.Ordinal) ? "status"
            : path.Contains("/channels/", StringComparison.Ordinal) ? (request.Method == HttpMethod.Delete ? "drop" : "open")
            : path.EndsWith("/hostname", StringComparison.Ordinal) ? "discover"
            : path.StartsWith("/oauth/", StringComparison.Ordinal) ? "sign_in"
            : "other";
    }
}
