using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace ThermalStreaming.Hosting;

/// <summary>Sends a status at once, and then whenever it has changed. Thread-safe.</summary>
/// <param name="streams">Bounds the watchers.</param>
/// <param name="clock">Where time comes from.</param>
public sealed class StatusWatch(ControlStreams streams, TimeProvider clock)
{
    static readonly TimeSpan Usual = TimeSpan.FromSeconds(1),
        Least = TimeSpan.FromMilliseconds(100),
        Longest = TimeSpan.FromDays(1);

    /// <param name="every">Shortest time between two messages; null: 1 s.</param>
    /// <param name="now">Makes the status.</param>
    /// <param name="withoutTime">The status without the fields that change merely as time passes.</param>
    /// <param name="output">Gets the messages.</param>
    /// <param name="context">Of the call.</param>
    /// <exception cref="RpcException">INVALID_ARGUMENT, or as <see cref="ControlStreams.RunAsync"/>.</exception>
    public Task RunAsync<T>(Duration? every, Func<T> now, Func<T, T> withoutTime, IServerStreamWriter<T> output, ServerCallContext context)
        where T : class, IMessage<T>
    {
        var interval = Interval(every);
        return streams.RunAsync(
            context,
            async cancellationToken =>
            {
                T? last = null;
                while (true)
                {
                    var status = now();
                    var compared = withoutTime(status.Clone());
                    if (!compared.Equals(last))
                        await output.WriteAsync(status, cancellationToken);
                    last = compared;
                    await Task.Delay(interval, clock, cancellationToken);
                }
            }
        );
    }

    static TimeSpan Interval(Duration? every)
    {
        if (every is null)
            return Usual;
        if (ControlDuration.TryRead(every, out var interval) && interval >= Least && interval <= Longest)
            return interval;
        throw ControlErrors.Invalid(("every", "It must be 0.1 s to 1 day."));
    }
}
