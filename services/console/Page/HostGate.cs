namespace ThermalStreaming.Console;

/// <summary>
/// Passes only requests that name this machine. A foreign site can make a browser call 127.0.0.1 under the site's own name (DNS rebinding);
/// such a request carries that name. Immutable.
/// </summary>
sealed class HostGate
{
    readonly HashSet<string> names;

    public HostGate(ConsoleOptions options)
    {
        var machine = Environment.MachineName.ToLowerInvariant();
        names = [.. options.Hosts, "localhost", "127.0.0.1", "[::1]", machine, $"{machine}.local"];
    }

    /// <summary>Whether the request's Host is one of ours.</summary>
    public bool Knows(HttpRequest request) => names.Contains(request.Host.Host.ToLowerInvariant());

    /// <summary>
    /// Whether the request comes from our own page, or from no page at all: a browser names the page's origin, and says whether it is
    /// another site's.
    /// </summary>
    public static bool IsOwn(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site is not ("" or "same-origin" or "none"))
            return false;
        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0
            || (
                Uri.TryCreate(origin, UriKind.Absolute, out var uri)
                && string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase)
            );
    }
}
