using System.Buffers;
using System.Text;

namespace ThermalStreaming.Readings;

/// <summary>
/// The topics of the pipeline: <c>telemetry/v1/{device_id}/{kind}</c>, <c>telemetry/v1/{device_id}/status</c> and
/// <c>forwarders/v1/{kind}</c>.
/// </summary>
public static class Topics
{
    const string Prefix = "telemetry/v1/";

    /// <summary>Longest device id, so that every text column that holds it (VARCHAR(100)) can.</summary>
    public const int MaxDeviceIdLength = 100;

    /// <summary>Longest device id in UTF-8.</summary>
    public const int MaxDeviceIdBytes = 255;

    /// <summary>Where a device publishes its readings of a kind.</summary>
    public static string Readings(string deviceId, ReadingKind kind) => $"{Prefix}{deviceId}/{Name(kind)}";

    /// <summary>Birth and will of a device, retained where the broker allows it: <c>online</c> or <c>offline</c>.</summary>
    public static string Status(string deviceId) => $"{Prefix}{deviceId}/status";

    /// <summary>Filter for the readings of a kind of all devices.</summary>
    public static string Filter(ReadingKind kind) => $"{Prefix}+/{Name(kind)}";

    /// <summary>Where forwarders say that they take readings of a kind now.</summary>
    public static string Forwarders(ReadingKind kind) => $"forwarders/v1/{Name(kind)}";

    /// <summary>The last level of a topic and the value of the metrics' label <c>kind</c>.</summary>
    public static string Name(ReadingKind kind) => kind == ReadingKind.Thermal ? "thermal" : "inverter";

    /// <summary>Parses a readings topic; false for any other topic, and for an impossible device id (<see cref="IsDeviceId"/>).</summary>
    public static bool TryParse(string topic, out string deviceId, out ReadingKind kind)
    {
        deviceId = "";
        kind = default;
        if (!topic.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        var slash = topic.IndexOf('/', Prefix.Length);
        if (slash <= Prefix.Length)
            return false;
        deviceId = topic[Prefix.Length..slash];
        var name = topic.AsSpan(slash + 1);
        kind =
            name.SequenceEqual("thermal") ? ReadingKind.Thermal
            : name.SequenceEqual("inverter") ? ReadingKind.Inverter
            : default;
        return kind != default && IsDeviceId(deviceId);
    }

    /// <summary>Why <see cref="TryParse"/> refuses a topic.</summary>
    public static string Problem(string topic)
    {
        const string expected = "the topic is not telemetry/v1/{device_id}/thermal or /inverter";
        var levels = topic.Split('/');
        if (levels is not ["telemetry", "v1", var device, "thermal" or "inverter"])
            return expected;
        if (device.Length == 0)
            return $"{expected}: the device id is empty";
        if (device[0] == '$')
            return "the device id in the topic begins with $, which MQTT keeps for brokers; choose another one";
        if (device.Length > MaxDeviceIdLength)
            return $"the device id in the topic has {device.Length} characters; at most {MaxDeviceIdLength} fit into the columns";
        return "the device id in the topic holds a character that cannot be in one (+ # / or a control character), or has more than "
            + $"{MaxDeviceIdBytes} bytes";
    }

    /// <summary>
    /// Whether a text can be a device id: 1 to 100 characters and at most 255 bytes of UTF-8 (journals give its length one byte),
    /// well-formed, without control characters and characters with a meaning in topics.
    /// </summary>
    public static bool IsDeviceId(string? text) =>
        text is { Length: > 0 and <= MaxDeviceIdLength }
        && !text.AsSpan().ContainsAny('+', '#', '/')
        && !text.Any(char.IsControl)
        && text[0] != '$'
        && Utf8Length(text) is >= 0 and <= MaxDeviceIdBytes;

    /// <summary>−1 for half of a surrogate pair, which UTF-8 cannot encode.</summary>
    static int Utf8Length(string text)
    {
        var length = 0;
        for (var rest = text.AsSpan(); !rest.IsEmpty; )
        {
            if (Rune.DecodeFromUtf16(rest, out var rune, out var used) != OperationStatus.Done)
                return -1;
            length += rune.Utf8SequenceLength;
            rest = rest[used..];
        }
        return length;
    }
}
