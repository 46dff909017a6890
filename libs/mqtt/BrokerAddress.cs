using System.Net;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// Distinguishes a broker's name or address from the other things that people write: a URL, with a port, a path, a password.
/// </summary>
static class BrokerAddress
{
    const int LongestName = 253,
        LongestLabel = 63;

    /// <summary>
    /// What is wrong with MQTT_HOST, and how it should be written; null when it is a name or an address. Never shows a password.
    /// </summary>
    public static string? Problem(string text)
    {
        List<string> wrong = [];
        List<string> settings = [];
        var note = "";
        var rest = text;
        if (rest.IndexOf("://", StringComparison.Ordinal) is var scheme and >= 0)
        {
            var name = rest[..scheme].ToLowerInvariant();
            wrong.Add($"the scheme '{rest[..scheme]}://'");
            rest = rest[(scheme + 3)..];
            if (name is "mqtts" or "ssl" or "tls" or "wss" or "https")
                settings.Add("MQTT_TLS=true");
            if (name is "ws" or "wss" or "http" or "https")
                note = " This client speaks MQTT over TCP, not over WebSocket: use the broker's MQTT port.";
        }
        var shown = text;
        if (rest.LastIndexOf('@') is var user and >= 0)
        {
            // A password may hold anything, even something that looks like a path.
            shown = text.Replace(rest[..user], "***", StringComparison.Ordinal);
            wrong.Add("a user or password");
            settings.Add("MQTT_USER and MQTT_PASSWORD_FILE for the rest");
            rest = rest[(user + 1)..];
        }
        if (rest.IndexOfAny(['/', '?', '#']) is var path and >= 0)
        {
            wrong.Add(rest[path..] == "/" ? "a '/'" : $"the path '{rest[path..]}'");
            rest = rest[..path];
        }
        if (rest.StartsWith('['))
        {
            var end = rest.IndexOf(']');
            wrong.Add("brackets");
            if (end > 0 && rest.Length > end + 1 && rest[end + 1] == ':')
                TakePort(rest[(end + 2)..], settings, wrong);
            rest = end > 0 ? rest[1..end] : rest[1..];
        }
        else if (rest.Count(c => c == ':') == 1)
        {
            var colon = rest.IndexOf(':');
            TakePort(rest[(colon + 1)..], settings, wrong);
            rest = rest[..colon];
        }
        var host = rest.Trim().Trim('"', '\'');
        if (host != rest)
            wrong.Add("white space or quotes");
        var bad = NameProblem(host);
        if (wrong.Count == 0 && bad is null)
            return null;
        var right = bad is null ? $"MQTT_HOST={host}" : "MQTT_HOST=<name or address>, for example mosquitto, pi.local or 192.168.1.20";
        var what = wrong.Count > 0 ? $"with {string.Join(" and ", wrong)}" : bad;
        return $"MQTT_HOST is '{shown}', {what}; it takes only the broker's name or address: "
            + $"{string.Join(", ", settings.Prepend(right))}.{note}";
    }

    static void TakePort(string port, List<string> settings, List<string> wrong)
    {
        wrong.Add($"the port '{port}'");
        settings.Insert(
            0,
            ushort.TryParse(port, System.Globalization.NumberStyles.None, null, out var number) && number > 0
                ? $"MQTT_PORT={number}"
                : "MQTT_PORT=1883"
        );
    }

    /// <summary>Null when it is an address or could be a name. Host names have no underscores, but names of Compose services do.</summary>
    static string? NameProblem(string host)
    {
        if (host.Length == 0)
            return "which does not name a broker";
        if (host.Contains(':') || host.Contains('%'))
            return IPAddress.TryParse(host, out _) ? null : "which is not an IPv6 address";
        if (host.IndexOfAny([',', ';']) >= 0)
            return "which names several brokers";
        if (host.FirstOrDefault(c => !char.IsLetterOrDigit(c) && c is not ('-' or '.' or '_')) is var odd and not '\0')
            return char.IsWhiteSpace(odd) ? "with white space in it" : $"with a '{odd}' in it";
        if (host.All(c => char.IsAsciiDigit(c) || c == '.'))
            return IPAddress.TryParse(host, out _) && host.Count(c => c == '.') == 3 ? null : "which is not an IPv4 address";
        var labels = (host.EndsWith('.') ? host[..^1] : host).Split('.');
        if (host.Length > LongestName || labels.Any(label => label.Length is 0 or > LongestLabel))
            return "which is not a host name (labels of 1 to 63 characters between dots, 253 in all)";
        return null;
    }
}
