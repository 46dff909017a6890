namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Makes a call fail as requested at <c>/emulator/faults</c>. Safe for concurrent use.</summary>
sealed class FaultGate(Faults faults, TimeProvider clock)
{
    /// <summary>Marks an endpoint that faults can hit.</summary>
    /// <param name="Endpoint">Its name in a fault, one of <see cref="Faults.Endpoints"/>.</param>
    /// <param name="ChannelsOf">Reads the channels of a call; null if the path names the channel.</param>
    public sealed record Mark(string Endpoint, Func<HttpContext, Task<IReadOnlyCollection<string>>>? ChannelsOf = null);

    public async Task InvokeAsync(HttpContext call, RequestDelegate next)
    {
        if (call.GetEndpoint()?.Metadata.GetMetadata<Mark>() is not { } mark)
        {
            await next(call);
            return;
        }
        var plan = faults.Take(
            mark.Endpoint,
            mark.ChannelsOf is { } channelsOf ? await channelsOf(call)
                : call.Channel() is { } channel ? [channel]
                : []
        );
        call.Features.Set(plan);
        if (plan.Delay > TimeSpan.Zero)
            await Task.Delay(plan.Delay, clock, call.RequestAborted);
        if (plan.AbortBefore)
            call.Abort();
        else if (plan.Refuse is { } fault)
            await FaultAnswer.Send(call, fault);
        else if (plan.LoseReply)
            await LoseReply(call, next);
        else
            await next(call);
    }

    /// <summary>The call takes effect, but its answer never arrives.</summary>
    static async Task LoseReply(HttpContext call, RequestDelegate next)
    {
        call.Response.Body = Stream.Null;
        try
        {
            await next(call);
        }
        catch (RefusedException)
        {
            // A refusal is lost like any other answer.
        }
        call.Abort();
    }
}
