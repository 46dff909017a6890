using System.Globalization;

namespace ThermalStreaming.Readings;

/// <summary>
/// ISO 8601 in its basic and extended forms: a calendar, ordinal or week date, then at least the hour, with a fraction behind a point or a
/// comma and a zone. A blank in place of the T, or in front of the zone, is accepted too.
/// </summary>
static class IsoTime
{
    const long SecondUs = 1_000_000,
        MinuteUs = 60 * SecondUs,
        HourUs = 60 * MinuteUs,
        DayUs = 24 * HourUs;

    public static bool TryParse(ReadOnlySpan<byte> text, out ParsedTime time)
    {
        time = default;
        var at = 0;
        if (!TryReadDate(text, ref at, out var day) || at == text.Length || text[at++] is not ((byte)'T' or (byte)'t' or (byte)' '))
            return false;
        if (!TryReadClock(text, ref at, out var clock, out var isLeapSecond) || !TryReadZone(text, ref at, out var offset))
            return false;
        var microseconds = day * DayUs + clock - offset;
        // A leap second is inserted at the end of a day, UTC. Clocks without leap seconds are then at the next second.
        if (isLeapSecond && (microseconds < 0 || microseconds % DayUs >= SecondUs))
            return false;
        time = new(microseconds, offset == 0);
        return true;
    }

    /// <summary>2026-11-20, 20261120, 2026-324, 2026324, 2026-W47-5 or 2026W475, as days since 1970.</summary>
    static bool TryReadDate(ReadOnlySpan<byte> text, ref int at, out long day)
    {
        day = 0;
        if (!TryReadDigits(text, ref at, 4, out var year) || year == 0)
            return false;
        var isExtended = TrySkip(text, ref at, '-');
        if (TrySkip(text, ref at, 'W'))
        {
            if (
                !TryReadDigits(text, ref at, 2, out var week)
                || (isExtended && !TrySkip(text, ref at, '-'))
                || !TryReadDigits(text, ref at, 1, out var weekday)
                || weekday is < 1 or > 7
                || week < 1
                || week > ISOWeek.GetWeeksInYear(year)
                || year is 1 or 9999
            )
                return false;
            day = Days(ISOWeek.ToDateTime(year, week, (DayOfWeek)(weekday % 7)));
            return true;
        }
        var digits = 0;
        while (at + digits < text.Length && char.IsAsciiDigit((char)text[at + digits]))
            digits++;
        if (digits == 3)
        {
            TryReadDigits(text, ref at, 3, out var dayOfYear);
            if (dayOfYear < 1 || dayOfYear > (DateTime.IsLeapYear(year) ? 366 : 365))
                return false;
            day = Days(new DateTime(year, 1, 1)) + dayOfYear - 1;
            return true;
        }
        return TryReadDigits(text, ref at, 2, out var month)
            && (!isExtended || TrySkip(text, ref at, '-'))
            && TryReadDigits(text, ref at, 2, out var dayOfMonth)
            && TryGetDay(year, month, dayOfMonth, out day);
    }

    /// <summary>10, 10:13, 10:13:48 or 101348, the last of them with a fraction.</summary>
    static bool TryReadClock(ReadOnlySpan<byte> text, ref int at, out long microseconds, out bool isLeapSecond)
    {
        (microseconds, isLeapSecond) = (0, false);
        if (!TryReadDigits(text, ref at, 2, out var hour))
            return false;
        var (minute, second, unit) = (0, 0, HourUs);
        var isExtended = TrySkip(text, ref at, ':');
        if (isExtended || IsDigit(text, at))
        {
            unit = MinuteUs;
            if (!TryReadDigits(text, ref at, 2, out minute))
                return false;
            if (isExtended ? TrySkip(text, ref at, ':') : IsDigit(text, at))
            {
                unit = SecondUs;
                if (!TryReadDigits(text, ref at, 2, out second))
                    return false;
            }
        }
        long fraction = 0;
        if (at < text.Length && text[at] is (byte)'.' or (byte)',' && !TryReadFraction(text, ref at, unit, out fraction))
            return false;
        microseconds = hour * HourUs + minute * MinuteUs + second * SecondUs + fraction;
        isLeapSecond = second == 60;
        // 24:00 is the end of a day.
        return minute <= 59 && second <= 60 && (hour <= 23 || microseconds == DayUs);
    }

    static bool TryReadFraction(ReadOnlySpan<byte> text, ref int at, long unit, out long microseconds)
    {
        var start = ++at;
        long billionths = 0;
        for (; IsDigit(text, at); at++)
        {
            if (at - start < 9)
                billionths = billionths * 10 + (text[at] - '0');
        }
        for (var digits = at - start; digits < 9; digits++)
            billionths *= 10;
        microseconds = unit == SecondUs ? billionths / 1000 : (long)((Int128)billionths * unit / 1_000_000_000);
        return at > start;
    }

    /// <summary>Reads to the end of the text: nothing, Z, +01, +0100 or +01:00.</summary>
    internal static bool TryReadZone(ReadOnlySpan<byte> text, ref int at, out long microseconds)
    {
        microseconds = 0;
        if (at == text.Length)
            return true;
        TrySkip(text, ref at, ' ');
        if (TrySkip(text, ref at, 'Z') || TrySkip(text, ref at, 'z'))
            return at == text.Length;
        var isWest = TrySkip(text, ref at, '-');
        if (!isWest && !TrySkip(text, ref at, '+'))
            return false;
        if (!TryReadDigits(text, ref at, 2, out var hours))
            return false;
        var minutes = 0;
        if (at < text.Length)
        {
            TrySkip(text, ref at, ':');
            if (!TryReadDigits(text, ref at, 2, out minutes))
                return false;
        }
        microseconds = (hours * HourUs + minutes * MinuteUs) * (isWest ? -1 : 1);
        return at == text.Length && minutes <= 59 && hours * 60 + minutes <= 14 * 60;
    }

    internal static bool TryGetDay(int year, int month, int dayOfMonth, out long day)
    {
        var isDay = year >= 1 && month is >= 1 and <= 12 && dayOfMonth >= 1 && dayOfMonth <= DateTime.DaysInMonth(year, month);
        day = isDay ? Days(new DateTime(year, month, dayOfMonth)) : 0;
        return isDay;
    }

    internal static bool TryReadDigits(ReadOnlySpan<byte> text, ref int at, int count, out int value)
    {
        value = 0;
        if (at + count > text.Length)
            return false;
        for (var end = at + count; at < end; at++)
        {
            if (!IsDigit(text, at))
                return false;
            value = value * 10 + (text[at] - '0');
        }
        return true;
    }

    internal static bool TrySkip(ReadOnlySpan<byte> text, ref int at, char wanted)
    {
        if (at == text.Length || text[at] != wanted)
            return false;
        at++;
        return true;
    }

    internal static bool IsDigit(ReadOnlySpan<byte> text, int at) => at < text.Length && char.IsAsciiDigit((char)text[at]);

    static long Days(DateTime day) => day.Ticks / TimeSpan.TicksPerDay - DateTime.UnixEpoch.Ticks / TimeSpan.TicksPerDay;
}
