namespace ThermalStreaming.Thermalctl;

/// <summary>HTTP to containers and to Docker, which are on this machine.</summary>
static class DirectHttp
{
    /// <summary>Ignores proxies: Docker passes its own to containers in HTTP_PROXY, and no proxy reaches a container's address.</summary>
    public static SocketsHttpHandler Handler() => new() { UseProxy = false };

    /// <summary>A client without a proxy.</summary>
    public static HttpClient Client() => new(Handler()) { Timeout = ControlCommandLine.AnswerCeiling };
}
