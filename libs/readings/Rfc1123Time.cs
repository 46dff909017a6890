using System.Text;

namespace ThermalStreaming.Readings;

/// <summary>
/// RFC 1123, 5.2.14: <c>Fri, 20 Nov 2026 10:13:48 GMT</c>. The day of the week and the seconds may be missing; the zone is GMT, UT, UTC, Z
/// or an offset.
/// </summary>
static class Rfc1123Time
{
    static readonly string[] weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    static readonly string[] months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

    public static bool TryParse(ReadOnlySpan<byte> text, out ParsedTime time)
    {
        time = default;
        var at = 0;
        var weekday = -1;
        if (
            !IsoTime.IsDigit(text, 0)
            && (
                !TryReadName(text, ref at, weekdays, out weekday)
                || !IsoTime.TrySkip(text, ref at, ',')
                || !IsoTime.TrySkip(text, ref at, ' ')
            )
        )
            return false;
        var isTwoDigits = IsoTime.IsDigit(text, at + 1);
        if (
            !IsoTime.TryReadDigits(text, ref at, isTwoDigits ? 2 : 1, out var dayOfMonth)
            || !IsoTime.TrySkip(text, ref at, ' ')
            || !TryReadName(text, ref at, months, out var month)
            || !IsoTime.TrySkip(text, ref at, ' ')
            || !IsoTime.TryReadDigits(text, ref at, 4, out var year)
            || !IsoTime.TrySkip(text, ref at, ' ')
            || !IsoTime.TryReadDigits(text, ref at, 2, out var hour)
            || !IsoTime.TrySkip(text, ref at, ':')
            || !IsoTime.TryReadDigits(text, ref at, 2, out var minute)
        )
            return false;
        var second = 0;
        if (IsoTime.TrySkip(text, ref at, ':') && !IsoTime.TryReadDigits(text, ref at, 2, out second))
            return false;
        if (
            !IsoTime.TrySkip(text, ref at, ' ')
            || !TryReadZone(text[at..], out var offset)
            || !IsoTime.TryGetDay(year, month + 1, dayOfMonth, out var day)
        )
            return false;
        // If weekday and date contradict each other, either may be wrong. 1970-01-01 was a Thursday.
        var isThatDay = weekday < 0 || weekday == ((day + 4) % 7 + 7) % 7;
        var seconds = (day * 24 + hour) * 3600 + minute * 60 + second;
        var microseconds = seconds * 1_000_000 - offset;
        time = new(microseconds, offset == 0);
        return isThatDay && hour <= 23 && minute <= 59 && (second <= 59 || (second == 60 && microseconds % 86_400_000_000 == 0));
    }

    static bool TryReadZone(ReadOnlySpan<byte> text, out long offset)
    {
        offset = 0;
        if (Ascii.EqualsIgnoreCase(text, "GMT"u8) || Ascii.EqualsIgnoreCase(text, "UT"u8) || Ascii.EqualsIgnoreCase(text, "UTC"u8))
            return true;
        var at = 0;
        return !text.IsEmpty && text[0] != ' ' && IsoTime.TryReadZone(text, ref at, out offset);
    }

    static bool TryReadName(ReadOnlySpan<byte> text, ref int at, string[] names, out int index)
    {
        index = -1;
        if (at + 3 > text.Length)
            return false;
        for (var i = 0; i < names.Length; i++)
        {
            if (Ascii.EqualsIgnoreCase(text.Slice(at, 3), names[i]))
                index = i;
        }
        at += 3;
        return index >= 0;
    }
}
