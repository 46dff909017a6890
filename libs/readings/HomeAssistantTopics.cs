using System.Security.Cryptography;
using System.Text;

namespace ThermalStreaming.Readings;

/// <summary>
/// The topics by which a device appears in Home Assistant (https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery), with Home
/// Assistant's default prefix.
/// </summary>
public static class HomeAssistantTopics
{
    /// <summary>Where Home Assistant says <c>online</c> when it has started, and <c>offline</c> when it stops.</summary>
    public const string Birth = "homeassistant/status";

    /// <summary>The beginning of the topics on which devices describe themselves.</summary>
    public const string Devices = "homeassistant/device/";

    /// <summary>Where a device describes itself and its values.</summary>
    public static string Discovery(string deviceId) => $"{Devices}{ObjectId(deviceId)}/config";

    /// <summary>Where a device publishes its present values, as one JSON object.</summary>
    public static string State(string deviceId) => $"telemetry/v1/{deviceId}/state";

    /// <summary>
    /// The device's name within Home Assistant, which allows letters, digits, _ and - there. A device id with other characters gets a
    /// hash at its end, so that two devices never share a name.
    /// </summary>
    public static string ObjectId(string deviceId)
    {
        if (deviceId.All(IsAllowed))
            return deviceId;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(deviceId)).AsSpan(0, 6));
        return $"{string.Concat(deviceId.Select(letter => IsAllowed(letter) ? letter : '_'))}-{hash}";
    }

    static bool IsAllowed(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-';
}
