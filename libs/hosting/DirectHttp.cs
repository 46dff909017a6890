namespace ThermalStreaming.Hosting;

/// <summary>HTTP to services, containers and Docker on this machine.</summary>
public static class DirectHttp
{
    /// <summary>Ignores proxies: Docker passes its own to containers in HTTP_PROXY, and no proxy reaches a container's address.</summary>
    public static SocketsHttpHandler Handler() => new() { UseProxy = false };

    /// <summary>A client without a proxy.</summary>
    /// <param name="timeout">How long an answer may take.</param>
    public static HttpClient Client(TimeSpan timeout) => new(Handler()) { Timeout = timeout };
}
