using Microsoft.AspNetCore.Http.Features;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The names in the path and the headers of a call, and the results of its gates.</summary>
static class CallExtensions
{
    /// <summary>
    /// Middleware before routing. Kestrel decodes a path except for %2F, so that a name with a slash and a name with the characters
    /// <c>%2F</c> look alike. This decodes the path from the request line, except for % and / within a name, which <see cref="Name"/>
    /// decodes.
    /// </summary>
    public static Task DecodePath(HttpContext call, RequestDelegate next)
    {
        var path = call.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0];
        if (path.StartsWith('/') && path.Contains('%', StringComparison.Ordinal))
        {
            call.Request.Path = new PathString(
                string.Join(
                    '/',
                    path.Split('/')
                        .Select(name =>
                            Uri.UnescapeDataString(name)
                                .Replace("%", "%25", StringComparison.Ordinal)
                                .Replace("/", "%2F", StringComparison.Ordinal)
                        )
                )
            );
        }
        return next(call);
    }

    /// <summary>A name in the path, decoded; empty if the endpoint has no such parameter.</summary>
    public static string Name(this HttpContext call, string parameter) =>
        Uri.UnescapeDataString((string?)call.GetRouteValue(parameter) ?? "");

    /// <summary>The channel of the call; null if it has none.</summary>
    public static string? Channel(this HttpContext call) =>
        call.GetRouteValue("channel") is not null ? call.Name("channel")
        : call.GetRouteValue("table") is not null ? TableStore.ElasticChannel
        : null;

    /// <summary>The bearer token; null if there is none.</summary>
    public static string? Bearer(this HttpContext call)
    {
        var header = call.Request.Headers.Authorization.ToString();
        return header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : null;
    }

    /// <summary>The pipe, after <see cref="PipeGate"/>.</summary>
    public static Pipe Pipe(this HttpContext call) => call.Features.GetRequiredFeature<Pipe>();

    /// <summary>The pipe of classic Snowpipe, after <see cref="LoadPipeGate"/>.</summary>
    public static LoadPipe LoadPipe(this HttpContext call) => call.Features.GetRequiredFeature<LoadPipe>();

    /// <summary>The faults of this call, after <see cref="FaultGate"/>.</summary>
    public static FaultPlan Plan(this HttpContext call) => call.Features.GetRequiredFeature<FaultPlan>();
}
