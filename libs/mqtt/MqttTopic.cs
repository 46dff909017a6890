using System.Buffers;
using System.Text;

namespace ThermalStreaming.Mqtt;

/// <summary>The rules for topic names and filters (MQTT 5.0 §4.7, §4.8.2).</summary>
static class MqttTopic
{
    public const int MaximumBytes = 65_535;

    /// <summary>Null if it can be published to, else what is wrong with it.</summary>
    public static string? NameProblem(string topic)
    {
        if (topic.Length == 0)
            return "it is empty";
        if (topic.AsSpan().IndexOfAny('+', '#') >= 0)
            return "it has a wildcard (+ or #)";
        return TextProblem(topic);
    }

    /// <summary>Null if it can be subscribed to, else what is wrong with it.</summary>
    public static string? FilterProblem(string filter)
    {
        if (filter.Length == 0)
            return "it is empty";
        if (TextProblem(filter) is { } problem)
            return problem;
        if (filter == "$share" || filter.StartsWith("$share/", StringComparison.Ordinal))
        {
            var parts = filter.Split('/', 3);
            if (parts.Length < 3 || parts[1].Length == 0 || parts[2].Length == 0)
                return "a shared subscription is $share/{group}/{filter}";
            if (parts[1].AsSpan().IndexOfAny('+', '#') >= 0)
                return "the group of a shared subscription cannot have a wildcard";
            filter = parts[2];
        }
        var levels = filter.Split('/');
        for (var i = 0; i < levels.Length; i++)
        {
            if (levels[i].Contains('#') && (levels[i].Length > 1 || i < levels.Length - 1))
                return "# must be alone and last";
            if (levels[i].Contains('+') && levels[i].Length > 1)
                return "+ must fill a whole level";
        }
        return null;
    }

    /// <summary>Null if it can be an MQTT string (§1.5.4), else what is wrong with it.</summary>
    public static string? TextProblem(string text)
    {
        if (text.Contains('\0'))
            return "it has a NUL character";
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var read) != OperationStatus.Done)
                return "it is not well-formed Unicode";
            rest = rest[read..];
        }
        return Encoding.UTF8.GetByteCount(text) > MaximumBytes ? "it is longer than 65535 bytes" : null;
    }
}
