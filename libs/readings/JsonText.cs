using System.Text;
using System.Text.Json;

namespace ThermalStreaming.Readings;

/// <summary>The text of a JSON value.</summary>
static class JsonText
{
    /// <summary>Whether a JSON text is this one; also false if finding out takes a closer look.</summary>
    public static bool Is(ReadOnlySpan<byte> raw, string text) =>
        raw[0] == '"' && Ascii.Equals(raw[1..^1], text) && !raw.Contains((byte)'\\');

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
