using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>Shows the readings as they are taken to those who watch by gRPC. Thread-safe.</summary>
/// <param name="feed">The readings.</param>
/// <param name="streams">Bounds those who watch.</param>
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
