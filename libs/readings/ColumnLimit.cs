using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace ThermalStreaming.Readings;

/// <summary>What one column of the destination's table can hold. Immutable.</summary>
/// <param name="Name">Of the column.</param>
/// <param name="Declaration">Its type as it was declared: DECIMAL(10, 4).</param>
/// <param name="Type">Its family.</param>
/// <param name="Length">Text: most characters. Number: most digits in front of the point.</param>
/// <param name="Scale">Number: digits behind the point; further ones are rounded.</param>
/// <param name="IsRequired">NOT NULL, and without a default.</param>
public sealed record ColumnLimit(string Name, string Declaration, ColumnType Type, int Length = 0, int Scale = 0, bool IsRequired = false)
{
    /// <summary>Whether a text of this many characters, all in the basic plane, surely fits.</summary>
    internal bool HoldsText(int characters) => Type == ColumnType.Any || (Type == ColumnType.Text && characters <= Length);

    /// <summary>Whether a value surely fits; false if finding out takes a closer look.</summary>
    /// <param name="value">JSON; empty for null.</param>
    internal bool SurelyHolds(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || value.Length > Length)
            return false;
        if (Type == ColumnType.Text)
            return true;
        if (Type != ColumnType.Number)
            return false;
        foreach (var part in value)
        {
            if (!char.IsAsciiDigit((char)part) && part is not ((byte)'.' or (byte)'-'))
                return false;
        }
        return true;
    }

    /// <summary>Why the column cannot hold a value; null when it can.</summary>
    /// <param name="key">The key of the value in the row.</param>
    /// <param name="value">JSON; empty for null.</param>
    internal string? Problem(string key, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || value.SequenceEqual("null"u8))
            return IsRequired ? $"{key} is missing or null, and column {Name} is NOT NULL" : null;
        return Type switch
        {
            ColumnType.Number => NumberProblem(key, value),
            ColumnType.Text => TextProblem(key, value),
            ColumnType.Any => null,
            _ => OtherProblem(key, value),
        };
    }

    string? NumberProblem(string key, ReadOnlySpan<byte> value)
    {
        // Nearly every value has this form: some digits, a point, more digits.
        var whole = value.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (
            whole < 0
                ? value.Length < Length
                : whole > 0 && whole < Length && value[whole] == '.' && !value[(whole + 1)..].ContainsAnyExceptInRange((byte)'0', (byte)'9')
        )
            return null;
        var text = value[0] == '"' ? value[1..^1].Trim(NumberText.Space) : value;
        if (value[0] is (byte)'t' or (byte)'f')
            return null;
        if (!DecimalNumber.TryParse(text, out var number))
            return Unfit(key, text, "which holds numbers");
        return number.WholeDigits < Length || number.IsZero || (number.WholeDigits == Length && !RoundsUp(text))
            ? null
            : Unfit(key, text, $"which holds at most {Length} digits before the point");
    }

    /// <summary>Whether rounding makes it one digit longer: 999999.99995 is 1000000.0000.</summary>
    bool RoundsUp(ReadOnlySpan<byte> text)
    {
        var nines = 0;
        foreach (var letter in text)
        {
            if (letter is (byte)'e' or (byte)'E')
                return false;
            if (!char.IsAsciiDigit((char)letter) || (letter == '0' && nines == 0))
                continue;
            if (nines == Length + Scale)
                return letter >= '5';
            if (letter != '9')
                return false;
            nines++;
        }
        return false;
    }

    string? TextProblem(string key, ReadOnlySpan<byte> value)
    {
        var text = value[0] == '"' ? value[1..^1] : value;
        // A character takes at least one byte.
        if (text.Length <= Length)
            return null;
        var characters = 0;
        if (value[0] == '"' && text.Contains((byte)'\\'))
        {
            var reader = new Utf8JsonReader(value);
            reader.Read();
            characters = reader.GetString()!.EnumerateRunes().Count();
        }
        else
        {
            foreach (var part in text)
                characters += (part & 0xC0) == 0x80 ? 0 : 1;
        }
        return characters <= Length ? null : Unfit(key, text, $"which holds at most {Length} characters; it has {characters}");
    }

    string? OtherProblem(string key, ReadOnlySpan<byte> value)
    {
        var text = value[0] == '"' ? value[1..^1].Trim(NumberText.Space) : value;
        var isText = value[0] == '"';
        var fits = Type switch
        {
            ColumnType.Map => value[0] == '{',
            ColumnType.List => value[0] == '[',
            ColumnType.Boolean => !isText
                ? value[0] is not ((byte)'{' or (byte)'[')
                : Encoding.UTF8.GetString(text).ToUpperInvariant()
                    is "TRUE"
                        or "T"
                        or "YES"
                        or "Y"
                        or "ON"
                        or "1"
                        or "FALSE"
                        or "F"
                        or "NO"
                        or "N"
                        or "OFF"
                        or "0",
            ColumnType.Real => value[0] is (byte)'t' or (byte)'f'
                || (
                    Utf8Parser.TryParse(text, out double number, out var used) && used == text.Length && (isText || double.IsFinite(number))
                ),
            ColumnType.Timestamp => isText ? IsTimestamp(value, text) : value[0] is not ((byte)'{' or (byte)'[' or (byte)'t' or (byte)'f'),
            ColumnType.Time => isText && ReadingTime.TryParse((byte[])[.. "\"1970-01-01T"u8, .. text, (byte)'"'], out _),
            _ => true,
        };
        return fits
            ? null
            : Unfit(key, text, Type == ColumnType.Timestamp ? "which holds times such as 2026-11-20T10:13:48" : "which cannot hold that");
    }

    static bool IsTimestamp(ReadOnlySpan<byte> value, ReadOnlySpan<byte> text) =>
        ReadingTime.TryParse(value, out _)
        || (text.Length == 10 && ReadingTime.TryParse((byte[])[(byte)'"', .. text, .. "T00:00\""u8], out _))
        || (text.Length > 0 && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9'));

    string Unfit(string key, ReadOnlySpan<byte> value, string limit) =>
        $"{key} {JsonProblem.Quote(value)} does not fit into column {Name} {Declaration}, {limit}";
}
