using System.Net;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Keeps web pages of other sites away from the endpoints that ask for no token. Such a page can send requests to this machine (cross-site
/// request forgery). It can also make its own host name resolve to 127.0.0.1 and read the answers (DNS rebinding).
/// </summary>
sealed class BrowserGate(EmulatorSettings settings)
{
    /// <summary>Marks an endpoint that only this emulator's own pages and programs may call.</summary>
    public sealed record Mark;

    public Task InvokeAsync(HttpContext call, RequestDelegate next) =>
        call.GetEndpoint()?.Metadata.GetMetadata<Mark>() is not null && Refusal(call.Request) is { } refusal
            ? throw new RefusedException(403, "ERR_FOREIGN_REQUEST", refusal)
            : next(call);

    /// <summary>Why the request is refused; null if it is allowed.</summary>
    string? Refusal(HttpRequest request)
    {
        if (request.Host.HasValue && !IsOurs(request.Host.Host))
        {
            return $"The Host header names {request.Host.Host}, which is not a name of this emulator. A web page may have made that name "
                + "resolve to this machine. Use an IP address or localhost, or set EMULATOR_HOST to the name.";
        }
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            return null;
        var own = $"{request.Scheme}://{request.Host.Value}";
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0 && request.Headers.Referer.ToString() is { Length: > 0 } referer)
            origin = Uri.TryCreate(referer, UriKind.Absolute, out var uri) ? uri.GetLeftPart(UriPartial.Authority) : referer;
        var foreign = origin.Length > 0 && !origin.Equals(own, StringComparison.OrdinalIgnoreCase);
        return foreign || request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none")
            ? $"The request comes from a web page of {(foreign ? origin : "another site")}. "
                + $"Only pages of {own} and programs such as curl may change the emulator."
            : null;
    }

    bool IsOurs(string host)
    {
        const StringComparison Comparison = StringComparison.OrdinalIgnoreCase;
        host = host.TrimEnd('.');
        return IPAddress.TryParse(host, out _)
            || host.EndsWith(".localhost", Comparison)
            || new[] { "localhost", "snowflake", Environment.MachineName, settings.IngestHost }.Any(name => host.Equals(name, Comparison));
    }
}
