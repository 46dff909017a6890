using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>Where to find the replicas of a service: a name with an address for each replica, or one address.</summary>
/// <param name="Host">The name or address, without brackets.</param>
/// <param name="Port">Port of the control service.</param>
/// <param name="IsAgent">Whether it is a sensor-agent; otherwise a forwarder.</param>
sealed record ServiceEndpoint(string Host, int Port, bool IsAgent)
{
    /// <summary>The services of the Compose project.</summary>
    public static readonly IReadOnlyList<ServiceEndpoint> OfCompose =
    [
        new("sensor-agent", ControlOptions.DefaultPort, IsAgent: true),
        new("snowpipe-forwarder", ControlOptions.DefaultPort, IsAgent: false),
        new("s3-forwarder", ControlOptions.DefaultPort, IsAgent: false),
    ];

    /// <param name="text">HOST, HOST:PORT, an IPv6 address, or [IPv6]:PORT.</param>
    /// <param name="isAgent">Whether an agent is there.</param>
    /// <param name="endpoint">Null if the text is none of these.</param>
    /// <param name="defaultPort">The port if the text names none.</param>
    public static bool TryParse(
        string text,
        bool isAgent,
        [NotNullWhen(true)] out ServiceEndpoint? endpoint,
        int defaultPort = ControlOptions.DefaultPort
    )
    {
        var (host, port) = (text, defaultPort);
        if (text.LastIndexOf(':') is var colon and >= 0 && !IPAddress.TryParse(text, out _))
        {
            if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port))
                port = 0;
            host = text[..colon];
        }
        host = host.StartsWith('[') && host.EndsWith(']') ? host[1..^1] : host;
        var isRight = port is > 0 and <= ushort.MaxValue && Uri.CheckHostName(host) != UriHostNameType.Unknown;
        endpoint = isRight ? new ServiceEndpoint(host, port, isAgent) : null;
        return isRight;
    }
}
