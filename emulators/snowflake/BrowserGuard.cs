using System.Net;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Keeps web pages away from the emulator's own endpoints, which ask for no token. A page of another site can send requests to this
/// machine (cross-site request forgery), and can make a name of its own mean 127.0.0.1 and read the answers too (DNS rebinding).
/// </summary>
static class BrowserGuard
{
    /// <summary>Tells why a request is refused; null if it is not.</summary>
    public static string? Refusal(HttpRequest request, EmulatorSettings settings)
    {
        if (request.Host.HasValue && !IsOurs(request.Host.Host, settings))
        {
            return $"The Host header names {request.Host.Host}, which is no name of this emulator: a web page may have made that name mean this machine. "
                + "Use an IP address or localhost, or set EMULATOR_HOST to the name.";
        }
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            return null;
        var own = $"{request.Scheme}://{request.Host.Value}";
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0 && request.Headers.Referer.ToString() is { Length: > 0 } referer)
            origin = Uri.TryCreate(referer, UriKind.Absolute, out var uri) ? uri.GetLeftPart(UriPartial.Authority) : referer;
        var foreign = origin.Length > 0 && !origin.Equals(own, StringComparison.OrdinalIgnoreCase);
        return foreign || request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none")
            ? $"The request comes from a web page of {(foreign ? origin : "another site")}. Only pages of {own} and programs such as curl may change the emulator."
            : null;
    }

    static bool IsOurs(string host, EmulatorSettings settings)
    {
        const StringComparison Comparison = StringComparison.OrdinalIgnoreCase;
        host = host.TrimEnd('.');
        return IPAddress.TryParse(host, out _)
            || host.EndsWith(".localhost", Comparison)
            || new[] { "localhost", "snowflake", Environment.MachineName, settings.IngestHost }.Any(name => host.Equals(name, Comparison));
    }
}
