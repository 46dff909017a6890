using System.Collections.Concurrent;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Limits the requests of each channel. <see cref="Appender"/> limits its bytes, which are known only later.</summary>
sealed class RateGate(EmulatorSettings settings, TimeProvider clock)
{
    // A name is remembered before it is known whether the channel exists.
    const int MaxRates = 20_000;

    readonly ConcurrentDictionary<(Pipe Pipe, string Channel), ChannelRate> rates = new();

    /// <summary>Marks an endpoint whose calls count.</summary>
    public sealed record Mark;

    public Task InvokeAsync(HttpContext call, RequestDelegate next)
    {
        // The elastic channel has no rate limit.
        if (call.GetEndpoint()?.Metadata.GetMetadata<Mark>() is null || !settings.Limits || TableStore.IsElastic(call.Channel()!))
            return next(call);
        var rate = RateOf(call.Pipe(), call.Channel()!);
        if (!rate.TryRequest())
        {
            throw new RefusedException(
                429,
                "ERR_TOO_MANY_REQUESTS",
                $"Channel {call.Channel()} has had more than "
                    + $"{ChannelRate.RequestsPerSecond} requests in a second. Back off and send the same request again."
            );
        }
        call.Features.Set(rate);
        return next(call);
    }

    ChannelRate RateOf(Pipe pipe, string channel)
    {
        if (rates.Count >= MaxRates)
            rates.Clear();
        return rates.GetOrAdd((pipe, channel.ToUpperInvariant()), _ => new ChannelRate(clock));
    }
}
