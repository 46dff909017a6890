using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Dates and times as Snowpipe Streaming accepts them in text: <c>YYYY-MM-DD</c>, <c>YYYY-MM-DDTHH24:MI[:SS[.FF1-9]][±HH:MM]</c>,
/// <c>HH24:MI[:SS[.FF]]</c>, or an integer since 1970. A blank in place of the T and a Z for +00:00 are accepted too.
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
            if (
                !Digits(text, ref at, 4, out var year)
                || !Literal(text, ref at, '-')
                || !Digits(text, ref at, 2, out var month)
                || !Literal(text, ref at, '-')
                || !Digits(text, ref at, 2, out var day)
                || year < 1
                || month is < 1 or > 12
                || day < 1
                || day > DateTime.DaysInMonth(year, month)
            )
                return false;
            date = new DateOnly(year, month, day);
        }
        int hour = 0,
            minute = 0,
            second = 0,
            fractionStart = 0,
            fractionLength = 0;
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

        const string Seconds = "yyyy-MM-ddTHH:mm:ss";
        var invariant = CultureInfo.InvariantCulture;
        var fraction = fractionLength == 0 ? "" : "." + Encoding.ASCII.GetString(text.Slice(fractionStart, fractionLength));
        var zone = offset ?? TimeSpan.Zero;
        stored = kind switch
        {
            SqlKind.Date => date.ToString("yyyy-MM-dd", invariant),
            SqlKind.Time => local.ToString("HH:mm:ss", invariant) + fraction,
            SqlKind.TimestampLtz => (local - shift).ToString(Seconds, invariant) + fraction + "Z",
            SqlKind.TimestampTz => local.ToString(Seconds, invariant)
                + fraction
                + (zone < TimeSpan.Zero ? "-" : "+")
                + zone.ToString("hh\\:mm", invariant),
            // A cast to TIMESTAMP_NTZ keeps the local time as written and drops the offset.
            _ => local.ToString(Seconds, invariant) + fraction,
        };
        return true;
    }

    /// <summary>A JSON number is in seconds. Digits in a string are in seconds, ms, µs or ns, depending on their size.</summary>
    static bool TryEpoch(long epoch, bool isNumber, SqlKind kind, out string? stored)
    {
        stored = null;
        var size = Int128.Abs(epoch);
        var ticks =
            isNumber || size < 31_536_000_000 ? (Int128)epoch * TimeSpan.TicksPerSecond
            : size < 31_536_000_000_000 ? (Int128)epoch * TimeSpan.TicksPerMillisecond
            : size < 31_536_000_000_000_000 ? (Int128)epoch * TimeSpan.TicksPerMicrosecond
            : epoch / TimeSpan.NanosecondsPerTick;
        if (Int128.Abs(ticks) > DateTime.UnixEpoch.Ticks)
            return false;
        var time = DateTime.UnixEpoch.AddTicks((long)ticks);
        stored =
            time.ToString(kind == SqlKind.Date ? "yyyy-MM-dd" : "yyyy-MM-ddTHH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture)
            + (
                kind switch
                {
                    SqlKind.TimestampLtz => "Z",
                    SqlKind.TimestampTz => "+00:00",
                    _ => "",
                }
            );
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
