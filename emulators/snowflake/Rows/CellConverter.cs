using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Casts a JSON value to a column type. Without an output it only checks whether the cast works. That happens for every row that arrives,
/// so it allocates nothing in the usual cases. With an output it also writes the stored value, for readers of the table.
/// </summary>
static class CellConverter
{
    /// <summary>Checks the value and, with <paramref name="output"/>, writes it in the form of the type.</summary>
    /// <param name="cell">The value; <see cref="JsonTokenType.None"/> means the key is absent, which is NULL.</param>
    /// <param name="type">The column type.</param>
    /// <param name="output">Receives the stored value; null to check only.</param>
    /// <param name="error">Snowflake's message, which leaves out the value.</param>
    public static bool TryConvert(in JsonCell cell, SqlType type, Utf8JsonWriter? output, out string? error)
    {
        error = null;
        if (cell.Type is JsonTokenType.Null or JsonTokenType.None)
        {
            output?.WriteNullValue();
            return true;
        }
        switch (type.Kind)
        {
            case SqlKind.Variant:
                WriteAsSent(in cell, output);
                return true;
            case SqlKind.Object when cell.Type == JsonTokenType.StartObject:
            case SqlKind.Array when cell.Type == JsonTokenType.StartArray:
                WriteAsSent(in cell, output);
                return true;
            case SqlKind.Object or SqlKind.Array:
                error = $"Failed to cast variant value to {type.ErrorName}";
                return false;
            case SqlKind.Varchar:
                return TryVarchar(in cell, type, output, out error);
            case SqlKind.Boolean:
                return TryBoolean(in cell, output, out error);
            case SqlKind.Number:
                return TryNumber(in cell, type, output, out error);
            case SqlKind.Float:
                return TryFloat(in cell, output, out error);
            default:
                return TryTime(in cell, type, output, out error);
        }
    }

    static void WriteAsSent(in JsonCell cell, Utf8JsonWriter? output)
    {
        if (output is null)
            return;
        if (cell.Type != JsonTokenType.String)
        {
            output.WriteRawValue(cell.Text, skipInputValidation: true);
            return;
        }
        var quoted = ArrayPool<byte>.Shared.Rent(cell.Text.Length + 2);
        quoted[0] = (byte)'"';
        cell.Text.CopyTo(quoted.AsSpan(1));
        quoted[cell.Text.Length + 1] = (byte)'"';
        output.WriteRawValue(quoted.AsSpan(0, cell.Text.Length + 2), skipInputValidation: true);
        ArrayPool<byte>.Shared.Return(quoted);
    }

    static bool TryVarchar(in JsonCell cell, SqlType type, Utf8JsonWriter? output, out string? error)
    {
        error = null;
        if (cell.Text.Length > type.Length)
        {
            // Only a value with more bytes than the allowed characters can be too long.
            var text = cell.Escaped ? Unescape(cell.Text) : Encoding.UTF8.GetString(cell.Text);
            if (text.EnumerateRunes().Count() > type.Length)
            {
                error = $"String is too long and would be truncated (limit {type.Length})";
                return false;
            }
        }
        if (output is null)
            return true;
        if (cell.Type == JsonTokenType.String)
            WriteAsSent(in cell, output);
        else
            output.WriteStringValue(cell.Text);
        return true;
    }

    static bool TryBoolean(in JsonCell cell, Utf8JsonWriter? output, out string? error)
    {
        error = null;
        bool? value = cell.Type switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            JsonTokenType.Number => Utf8Parser.TryParse(cell.Text, out double number, out _) ? number != 0 : null,
            JsonTokenType.String => Unescape(cell.Text).Trim().ToLowerInvariant() switch
            {
                "true" or "t" or "yes" or "y" or "on" or "1" => true,
                "false" or "f" or "no" or "n" or "off" or "0" => false,
                _ => null,
            },
            _ => null,
        };
        if (value is null)
        {
            error = "Failed to cast variant value to BOOLEAN";
            return false;
        }
        output?.WriteBooleanValue(value.Value);
        return true;
    }

    static bool TryFloat(in JsonCell cell, Utf8JsonWriter? output, out string? error)
    {
        error = null;
        double value;
        switch (cell.Type)
        {
            case JsonTokenType.Number when Utf8Parser.TryParse(cell.Text, out value, out _):
            case JsonTokenType.String
                when double.TryParse(Unescape(cell.Text).Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out value):
                break;
            case JsonTokenType.True or JsonTokenType.False:
                value = cell.Type == JsonTokenType.True ? 1 : 0;
                break;
            default:
                error = "Failed to cast variant value to REAL";
                return false;
        }
        if (output is not null && double.IsFinite(value))
            output.WriteNumberValue(value);
        else
            output?.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
        return true;
    }

    static bool TryNumber(in JsonCell cell, SqlType type, Utf8JsonWriter? output, out string? error)
    {
        error = null;
        var text = cell.Text;
        switch (cell.Type)
        {
            case JsonTokenType.Number:
                if (output is null && FitsWithoutRounding(text, type))
                    return true;
                break;
            case JsonTokenType.String:
                text = Encoding.UTF8.GetBytes(Unescape(text).Trim());
                if (text.Length > 1 && text[0] == '+')
                    text = text[1..];
                break;
            case JsonTokenType.True or JsonTokenType.False:
                text = cell.Type == JsonTokenType.True ? "1"u8 : "0"u8;
                break;
            default:
                error = "Failed to cast variant value to FIXED";
                return false;
        }

        switch (DecimalText.Round(text, type, out var rounded))
        {
            case DecimalText.Outcome.NotANumber:
                error = "Failed to cast variant value to FIXED";
                return false;
            case DecimalText.Outcome.TooLarge:
                error = $"Numeric value is out of the range of {type}";
                return false;
            default:
                output?.WriteRawValue(rounded, skipInputValidation: true);
                return true;
        }
    }

    /// <summary>A plain number with few enough digits before the point that rounding cannot carry it out of range.</summary>
    static bool FitsWithoutRounding(ReadOnlySpan<byte> text, SqlType type)
    {
        var digits = text[0] == '-' ? text[1..] : text;
        var whole = digits.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (whole < 0)
            return digits.Length <= type.Length;
        var fraction = digits[(whole + 1)..];
        return digits[whole] == '.'
            && !fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && (whole < type.Length || (whole == type.Length && fraction.Length <= type.Scale));
    }

    static bool TryTime(in JsonCell cell, SqlType type, Utf8JsonWriter? output, out string? error)
    {
        error = null;
        var text = cell.Text;
        if (cell.Type is JsonTokenType.Number or JsonTokenType.String)
        {
            if (cell.Escaped)
                text = Encoding.UTF8.GetBytes(Unescape(text));
            if (TimeText.TryParse(text, cell.Type == JsonTokenType.Number, type.Kind, output is not null, out var stored))
            {
                output?.WriteStringValue(stored);
                return true;
            }
        }
        error = $"Failed to cast variant value to {type.ErrorName}";
        return false;
    }

    static string Unescape(ReadOnlySpan<byte> text)
    {
        if (text.IndexOf((byte)'\\') < 0)
            return Encoding.UTF8.GetString(text);
        var quoted = new byte[text.Length + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        text.CopyTo(quoted.AsSpan(1));
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        return reader.GetString() ?? "";
    }
}
