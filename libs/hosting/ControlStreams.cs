using Grpc.Core;
using Microsoft.Extensions.Hosting;

namespace ThermalStreaming.Hosting;

/// <summary>
/// The open calls of one method. Bounds their number, because each costs memory, and ends them when the service stops, which would
/// otherwise wait for them. Thread-safe.
/// </summary>
/// <param name="lifetime">Of the service.</param>
public sealed class ControlStreams(IHostApplicationLifetime lifetime)
{
    /// <summary>Most calls at once.</summary>
    public const int Most = 8;

    int open;

    /// <summary>Runs a call until it ends, its caller leaves, or the service stops.</summary>
    /// <exception cref="RpcException">
    /// RESOURCE_EXHAUSTED if there are <see cref="Most"/> already; UNAVAILABLE when the service stops.
    /// </exception>
    public async Task RunAsync(ServerCallContext context, Func<CancellationToken, Task> call)
    {
        if (Interlocked.Increment(ref open) > Most)
        {
            Interlocked.Decrement(ref open);
            throw ControlErrors.Because(
                StatusCode.ResourceExhausted,
                "TOO_MANY_WATCHERS",
                $"{Most} callers are watching already, the most that this service serves at once; end one of them, or ask for the "
                    + "status instead."
            );
        }
        try
        {
            await UntilStopAsync(context, call);
        }
        finally
        {
            Interlocked.Decrement(ref open);
        }
    }

    /// <summary>Like <see cref="RunAsync"/>, but without a bound: for a call that ends by itself.</summary>
    /// <exception cref="RpcException">UNAVAILABLE when the service stops.</exception>
    public async Task UntilStopAsync(ServerCallContext context, Func<CancellationToken, Task> call)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            await call(either.Token);
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            // Nobody reads the answer any more, or the deadline has already answered.
            throw new RpcException(Status.DefaultCancelled);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            throw ControlErrors.Because(
                StatusCode.Unavailable,
                "STOPPING",
                "The service is stopping. Call again when it runs; commands that it confirmed stay in force."
            );
        }
    }
}
