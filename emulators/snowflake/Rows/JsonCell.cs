using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>One JSON value of a row: its kind and its bytes as sent. Strings are without their quotes.</summary>
readonly ref struct JsonCell(JsonTokenType type, ReadOnlySpan<byte> text, bool escaped)
{
    public readonly JsonTokenType Type = type;
    public readonly ReadOnlySpan<byte> Text = text;

    /// <summary>Whether the string has backslash escapes.</summary>
    public readonly bool Escaped = escaped;
}
