using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>One JSON value of a row: its kind and its bytes as they were sent. Strings are without their quotes.</summary>
readonly ref struct JsonCell(JsonTokenType type, ReadOnlySpan<byte> text, bool escaped)
{
    public readonly JsonTokenType Type = type;
    public readonly ReadOnlySpan<byte> Text = text;

    /// <summary>The string holds backslash escapes.</summary>
    public readonly bool Escaped = escaped;
}

/// <summary>
/// Casts a JSON value to a column type. Without an output it only says whether the cast works, which is what every row that
/// arrives is asked, so that path allocates nothing; with an output it writes the stored value, which is what a reader asks.
/// </summary>
static class CellConverter
{
    /// <summary>Checks, and with <paramref name="output"/> writes, the value as the type holds it.</summary>
    /// <param name="cell">The value; <see cref="JsonTokenType.None"/> means the key is absent, which is NULL.</param>
    /// <param name="type">The column type.</param>
    /// <param name="output">Where to write the stored value, or null to check only.</param>
    /// <param name="error">What Snowflake would say, without the value, which it redacts.</param>
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
            // Only a value of more bytes than characters are allowed can be too long.
            var length = cell.Type == JsonTokenType.String && cell.Escaped
                ? Unescape(cell.Text).EnumerateRunes().Count()
                : CountCodePoints(cell.Text);
            if (length > type.Length)
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
            case JsonTokenType.String when double.TryParse(
                Unescape(cell.Text).Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out value):
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

        // Sign, digits before the point, point, digits behind it: however the number was written, what is stored has no more.
        var digits = new byte[Math.Max(type.Length, 1) + type.Scale + 2];
        switch (Round(text, type, digits, out var length))
        {
            case Rounding.NotANumber:
                error = "Failed to cast variant value to FIXED";
                return false;
            case Rounding.TooLarge:
                error = $"Numeric value is out of the range of {type}";
                return false;
            default:
                output?.WriteRawValue(digits.AsSpan(0, length), skipInputValidation: true);
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
        return digits[whole] == '.' && !fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && (whole < type.Length || (whole == type.Length && fraction.Length <= type.Scale));
    }

    enum Rounding { Done, NotANumber, TooLarge }

    /// <summary>Rounds decimal text half away from zero to the scale of <paramref name="type"/>, exactly, whatever its length.</summary>
    static Rounding Round(ReadOnlySpan<byte> text, SqlType type, Span<byte> result, out int length)
    {
        length = 0;
        var at = 0;
        var negative = text.Length > 0 && text[0] == '-';
        if (negative)
            at++;
        var significant = new byte[text.Length];
        int count = 0, exponent = 0;
        bool point = false, any = false;
        for (; at < text.Length; at++)
        {
            var c = text[at];
            if (c == '.' && !point)
            {
                point = true;
                continue;
            }
            if (!char.IsAsciiDigit((char)c))
                break;
            any = true;
            if (point)
                exponent--;
            if (count > 0 || c != '0')
                significant[count++] = (byte)(c - '0');
        }
        if (!any)
            return Rounding.NotANumber;
        if (at < text.Length)
        {
            if (text[at] is not ((byte)'e' or (byte)'E')
                || !int.TryParse(text[(at + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power))
                return Rounding.NotANumber;
            exponent += Math.Clamp(power, -100_000, 100_000);
        }
        if (count == 0)
        {
            negative = false;
            exponent = 0;
        }

        // The value is 0.significant × 10^(count + exponent); keep `whole` digits before and `Scale` after the point.
        var whole = count + exponent;
        if (count > 0 && whole > type.Length)
            return Rounding.TooLarge;
        var keep = whole + type.Scale;
        if (keep < 0)
            (count, keep) = (0, 0);
        if (keep < count)
        {
            var up = significant[keep] >= 5;
            count = keep;
            if (up)
            {
                var i = keep - 1;
                while (i >= 0 && ++significant[i] == 10)
                    significant[i--] = 0;
                if (i < 0)
                {
                    var carried = new byte[count + 1];
                    carried[0] = 1;
                    significant = carried;
                    count++;
                    whole++;
                    if (whole > type.Length)
                        return Rounding.TooLarge;
                }
            }
        }
        if (significant.AsSpan(0, count).IndexOfAnyExcept((byte)0) < 0)
            (count, whole, negative) = (0, 0, false);

        if (negative)
            result[length++] = (byte)'-';
        if (whole <= 0)
            result[length++] = (byte)'0';
        for (var i = 0; i < whole; i++)
            result[length++] = (byte)('0' + (i < count ? significant[i] : 0));
        if (type.Scale > 0)
        {
            result[length++] = (byte)'.';
            for (var i = whole; i < whole + type.Scale; i++)
                result[length++] = (byte)('0' + (i >= 0 && i < count ? significant[i] : 0));
        }
        return Rounding.Done;
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

    static int CountCodePoints(ReadOnlySpan<byte> utf8)
    {
        var count = 0;
        foreach (var b in utf8)
        {
            if ((b & 0xC0) != 0x80)
                count++;
        }
        return count;
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

/// <summary>
/// Dates and times as Snowpipe Streaming accepts them in text: <c>YYYY-MM-DD</c>, <c>YYYY-MM-DDTHH24:MI[:SS[.FF1-9]][±HH:MM]</c>,
/// <c>HH24:MI[:SS[.FF]]</c>, or an integer since 1970. A blank in place of the T and a Z for +00:00 are taken as well.
/// </summary>
static class TimeText
{
    public static bool TryParse(ReadOnlySpan<byte> text, bool isNumber, SqlKind kind, bool wantText, out string? stored)
    {
        stored = null;
        text = text.Trim(" "u8);
        if (text.Length == 0)
            return false;
        if (Utf8Parser.TryParse(text, out long epoch, out var used) && used == text.Length)
            return kind != SqlKind.Time && TryEpoch(epoch, isNumber, kind, out stored);

        var at = 0;
        DateOnly date = default;
        if (kind != SqlKind.Time)
        {
            if (!Digits(text, ref at, 4, out var year) || !Literal(text, ref at, '-')
                || !Digits(text, ref at, 2, out var month) || !Literal(text, ref at, '-')
                || !Digits(text, ref at, 2, out var day)
                || year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
                return false;
            date = new DateOnly(year, month, day);
        }
        int hour = 0, minute = 0, second = 0, fractionStart = 0, fractionLength = 0;
        TimeSpan? offset = null;
        if (kind == SqlKind.Time || (at < text.Length && text[at] is (byte)'T' or (byte)' '))
        {
            if (kind != SqlKind.Time)
                at++;
            if (!Digits(text, ref at, 2, out hour) || !Literal(text, ref at, ':') || !Digits(text, ref at, 2, out minute))
                return false;
            if (Literal(text, ref at, ':'))
            {
                if (!Digits(text, ref at, 2, out second))
                    return false;
                if (Literal(text, ref at, '.'))
                {
                    fractionStart = at;
                    while (at < text.Length && char.IsAsciiDigit((char)text[at]))
                        at++;
                    fractionLength = at - fractionStart;
                    if (fractionLength is 0 or > 9)
                        return false;
                }
            }
            if (hour > 23 || minute > 59 || second > 59 || !TryOffset(text, ref at, out offset))
                return false;
        }
        if (at != text.Length)
            return false;
        var local = date.ToDateTime(new TimeOnly(hour, minute, second));
        var shift = kind == SqlKind.TimestampLtz ? offset ?? TimeSpan.Zero : TimeSpan.Zero;
        if (shift < TimeSpan.Zero ? local > DateTime.MaxValue + shift : local < DateTime.MinValue + shift)
            return false;
        if (!wantText)
            return true;

        var fraction = fractionLength == 0 ? "" : "." + Encoding.ASCII.GetString(text.Slice(fractionStart, fractionLength));
        var clock = string.Create(CultureInfo.InvariantCulture, $"{hour:00}:{minute:00}:{second:00}");
        switch (kind)
        {
            case SqlKind.Date:
                stored = date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
                break;
            case SqlKind.Time:
                stored = clock + fraction;
                break;
            case SqlKind.TimestampLtz:
                stored = (local - shift).ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture) + fraction + "Z";
                break;
            default:
                // A cast to TIMESTAMP_NTZ keeps the clock as written and forgets the offset.
                stored = date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) + "T" + clock + fraction;
                if (kind == SqlKind.TimestampTz)
                {
                    var zone = offset ?? TimeSpan.Zero;
                    stored += string.Create(CultureInfo.InvariantCulture,
                        $"{(zone < TimeSpan.Zero ? '-' : '+')}{Math.Abs(zone.Hours):00}:{Math.Abs(zone.Minutes):00}");
                }
                break;
        }
        return true;
    }

    /// <summary>A JSON number counts seconds; digits in a string may count seconds, ms, µs or ns, told apart by their size.</summary>
    static bool TryEpoch(long epoch, bool isNumber, SqlKind kind, out string? stored)
    {
        stored = null;
        var size = Int128.Abs(epoch);
        var ticks = isNumber || size < 31_536_000_000 ? (Int128)epoch * TimeSpan.TicksPerSecond
            : size < 31_536_000_000_000 ? (Int128)epoch * TimeSpan.TicksPerMillisecond
            : size < 31_536_000_000_000_000 ? (Int128)epoch * TimeSpan.TicksPerMicrosecond
            : epoch / TimeSpan.NanosecondsPerTick;
        if (Int128.Abs(ticks) > DateTime.UnixEpoch.Ticks)
            return false;
        var time = DateTime.UnixEpoch.AddTicks((long)ticks);
        stored = time.ToString(kind == SqlKind.Date ? "yyyy-MM-dd" : "yyyy-MM-ddTHH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture)
            + (kind switch { SqlKind.TimestampLtz => "Z", SqlKind.TimestampTz => "+00:00", _ => "" });
        return true;
    }

    static bool TryOffset(ReadOnlySpan<byte> text, ref int at, out TimeSpan? offset)
    {
        offset = null;
        if (at == text.Length)
            return true;
        if (Literal(text, ref at, 'Z'))
        {
            offset = TimeSpan.Zero;
            return true;
        }
        if (text[at] is not ((byte)'+' or (byte)'-'))
            return true;
        var negative = text[at++] == '-';
        if (!Digits(text, ref at, 2, out var hours))
            return false;
        Literal(text, ref at, ':');
        if (!Digits(text, ref at, 2, out var minutes) || hours > 14 || minutes > 59)
            return false;
        offset = new TimeSpan(hours, minutes, 0);
        if (negative)
            offset = -offset;
        return true;
    }

    static bool Digits(ReadOnlySpan<byte> text, ref int at, int count, out int value)
    {
        value = 0;
        if (at + count > text.Length)
            return false;
        foreach (var c in text.Slice(at, count))
        {
            if (!char.IsAsciiDigit((char)c))
                return false;
            value = value * 10 + (c - '0');
        }
        at += count;
        return true;
    }

    static bool Literal(ReadOnlySpan<byte> text, ref int at, char c)
    {
        if (at >= text.Length || text[at] != c)
            return false;
        at++;
        return true;
    }
}
