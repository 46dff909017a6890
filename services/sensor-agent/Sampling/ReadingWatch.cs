using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>Streams readings over gRPC as they are taken. Thread-safe.</summary>
/// <param name="feed">The readings.</param>
/// <param name="streams">Limits the number of watchers.</param>
sealed class ReadingWatch(ReadingFeed feed, ControlStreams streams)
{
    /// <summary>Ends with the call or the agent.</summary>
    /// <exception cref="RpcException">As <see cref="ControlStreams.RunAsync"/>.</exception>
    public Task RunAsync(ReadingKind? kind, IServerStreamWriter<TakenReadings> stream, ServerCallContext context) =>
        streams.RunAsync(
            context,
            cancellationToken => feed.WatchAsync(kind, taken => stream.WriteAsync(taken, cancellationToken), cancellationToken)
        );
}
