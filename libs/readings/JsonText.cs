using System.Text;
using System.Text.Json;

namespace ThermalStreaming.Readings;

/// <summary>The text of a JSON value.</summary>
static class JsonText
{
    const int MaxCommonBytes = 66;

    static readonly string?[] common = new string?[256];

    /// <summary>Whether a JSON text is this one; also false if finding out takes a closer look.</summary>
    public static bool Is(ReadOnlySpan<byte> raw, string text) =>
        raw[0] == '"' && Ascii.Equals(raw[1..^1], text) && !raw.Contains((byte)'\\');

    /// <summary>As <see cref="Of"/>, for texts that many payloads have in common: they mostly share one.</summary>
    public static string Common(ReadOnlySpan<byte> raw)
    {
        if (raw.Length > MaxCommonBytes)
            return Of(raw);
        var hash = new ValueHash();
        hash.Add(raw);
        // Readers on other threads see the one text or the other, and compare it.
        ref var place = ref common[hash.Value % common.Length];
        return place is { } known && Is(raw, known) ? known : place = Of(raw);
    }

    /// <summary>A text, or a number as its text.</summary>
    public static string Of(ReadOnlySpan<byte> raw)
    {
        if (raw[0] != '"')
            return Encoding.UTF8.GetString(raw);
        if (!raw.Contains((byte)'\\'))
            return Encoding.UTF8.GetString(raw[1..^1]);
        try
        {
            var reader = new Utf8JsonReader(raw);
            reader.Read();
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: reported as a problem of the reading.
            return "";
        }
    }
}
