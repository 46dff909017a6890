using System.Globalization;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Console;

/// <summary>Where to find the replicas of a service: each address of a name, at one port.</summary>
/// <param name="Service">Name of the compose service.</param>
/// <param name="Kind">Its control service.</param>
/// <param name="Host">Name or address.</param>
/// <param name="Port">Port of its control service.</param>
sealed record Target(string Service, ServiceKind Kind, string Host, int Port)
{
    const int UsualPort = 8081;

    /// <summary>Reads a setting like <c>sensor-agent:8081</c>; several are separated by commas.</summary>
    public static IReadOnlyList<Target> Load(Settings settings, string key, string service, ServiceKind kind)
    {
        List<Target> targets = [];
        var text = settings.Text(
            key,
            $"{service}:{UsualPort}",
            $"Name and gRPC port of {service}, each address of the name is a replica; \"none\" for none."
        );
        if (text == "none")
            return targets;
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var colon = part.LastIndexOf(':');
            var (host, port) = colon > 0 ? (part[..colon], part[(colon + 1)..]) : (part, $"{UsualPort}");
            if (
                Uri.CheckHostName(host) != UriHostNameType.Unknown
                && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number is > 0 and <= 65_535
            )
                targets.Add(new Target(service, kind, host.Trim('[', ']'), number));
            else
                settings.Problem($"{key} holds '{part}'; it must be a name and a port, for example {service}:{UsualPort}.");
        }
        return targets;
    }
}
