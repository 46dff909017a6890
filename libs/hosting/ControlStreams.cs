using Grpc.Core;
using Microsoft.Extensions.Hosting;

namespace ThermalStreaming.Hosting;

/// <summary>
/// The calls of one method that stay open. Bounds how many there are at once, because each costs memory, and ends them when the service
/// stops, which would wait for them otherwise. Thread-safe.
/// </summary>
/// <param name="lifetime">Of the service.</param>
public sealed class ControlStreams(IHostApplicationLifetime lifetime)
{
    /// <summary>Most calls at once.</summary>
    public const int Most = 8;

    int open;

    /// <summary>Runs a call until it ends, its caller leaves, or the service stops.</summary>
    /// <exception cref="RpcException">
    /// RESOURCE_EXHAUSTED where there are <see cref="Most"/> already; UNAVAILABLE when the service stops.
    /// </exception>
    public async Task RunAsync(ServerCallContext context, Func<CancellationToken, Task> call)
    {
        if (Interlocked.Increment(ref open) > Most)
        {
            Interlocked.Decrement(ref open);
            throw ControlErrors.Because(
                StatusCode.ResourceExhausted,
                "TOO_MANY_WATCHERS",
                $"{Most} callers watch already, as many as this service serves at once; end one of them, or ask for the status instead."
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

    /// <summary>As <see cref="RunAsync"/>, for a call that ends by itself: without a bound.</summary>
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
            // Nobody reads an answer any more, or the deadline has answered.
            throw new RpcException(Status.DefaultCancelled);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            throw ControlErrors.Because(
                StatusCode.Unavailable,
                "STOPPING",
                "The service stops; call again when it runs, what it was asked to keep it keeps."
            );
        }
    }
}
