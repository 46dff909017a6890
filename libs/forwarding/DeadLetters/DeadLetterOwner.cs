using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ThermalStreaming.Forwarding;

/// <summary>Whose letters a file holds. Its name says it: <c>{time}-{random}-{origin}-{device}.ndjson</c>.</summary>
/// <param name="Origin">Where the letters come from.</param>
/// <param name="Device">
/// The first 8 hexadecimal digits of the SHA-256 of the device id, <see cref="OthersName"/>, or <see cref="UnknownName"/>.
/// </param>
readonly record struct DeadLetterOwner(DeadLetterOrigin Origin, string Device)
{
    /// <summary>Stands for all devices beyond those that have files of their own.</summary>
    public const string OthersName = "others";

    /// <summary>Stands for the files of earlier versions, whose names say neither origin nor device.</summary>
    public const string UnknownName = "unknown";

    public bool IsOthers => Device == OthersName;

    /// <summary>
    /// The owner of letters on a topic: the device that the topic names, or the whole topic when it names none. The devices behind a
    /// gateway, whose ids begin with the gateway's name and a colon, count as one: a single user publishes for them.
    /// </summary>
    /// <param name="origin">Where the letters come from.</param>
    /// <param name="topic">Of the message, or the id of a device.</param>
    public static DeadLetterOwner Of(DeadLetterOrigin origin, string topic)
    {
        var device = (topic.Split('/') is ["telemetry", "v1", var name, ..] ? name : topic).Split(':', 2)[0];
        return new(origin, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(device)))[..8]);
    }

    /// <summary>The owner of a file, by its name. A slot's suffix in <c>replay/</c> does not matter.</summary>
    public static DeadLetterOwner OfFile(string path) =>
        Path.GetFileName(path).Split('.')[0].Split('-') switch
        {
            [_, _, "refused", var device] => new(DeadLetterOrigin.Refused, device),
            [_, _, "unloaded", var device] => new(DeadLetterOrigin.Unloaded, device),
            [_, _, "unread", var device] => new(DeadLetterOrigin.Unread, device),
            _ => new(DeadLetterOrigin.Unread, UnknownName),
        };

    /// <summary>The name of an origin in file names, metrics and tables.</summary>
    public static string NameOf(DeadLetterOrigin origin) =>
        origin switch
        {
            DeadLetterOrigin.Refused => "refused",
            DeadLetterOrigin.Unloaded => "unloaded",
            _ => "unread",
        };

    /// <summary>The owner of this device's letters once it has to share a file.</summary>
    public DeadLetterOwner Others() => this with { Device = OthersName };

    /// <summary>A name for a new file; names sort by time.</summary>
    public string NewFileName(DateTimeOffset time)
    {
        var random = Random.Shared.Next();
        return string.Create(CultureInfo.InvariantCulture, $"{time:yyyyMMddTHHmmssfff}-{random:x8}-{NameOf(Origin)}-{Device}.ndjson");
    }
}
