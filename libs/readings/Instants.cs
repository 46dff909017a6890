using System.Buffers.Text;
using System.Globalization;

namespace ThermalStreaming.Readings;

/// <summary>Points in time as the rows spell them. Always UTC.</summary>
public static class Instants
{
    /// <summary>Length of <see cref="FormatIso"/>.</summary>
    public const int IsoLength = 32;

    /// <summary>Length of <see cref="FormatAmerican"/>.</summary>
    public const int AmericanLength = 19;

    public static DateTimeOffset FromMicroseconds(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * 10);

    public static long ToMicroseconds(DateTimeOffset instant) => (instant.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / 10;

    /// <summary>ISO 8601 with microseconds and offset, <c>2026-11-20T10:13:48.123456+00:00</c>, as the original's <c>datetimestamp</c>.</summary>
    public static void FormatIso(DateTimeOffset instant, Span<byte> target)
    {
        var utc = instant.UtcDateTime;
        Digits(target, 0, 4, utc.Year);
        target[4] = (byte)'-';
        Digits(target, 5, 2, utc.Month);
        target[7] = (byte)'-';
        Digits(target, 8, 2, utc.Day);
        target[10] = (byte)'T';
        Clock(target, 11, utc);
        target[19] = (byte)'.';
        Digits(target, 20, 6, (int)(utc.Ticks / 10 % 1_000_000));
        "+00:00"u8.CopyTo(target[26..]);
    }

    /// <summary><c>MM/dd/yyyy HH:mm:ss</c>, as the original's <c>systemtime</c> and <c>starttime</c>.</summary>
    public static void FormatAmerican(DateTimeOffset instant, Span<byte> target)
    {
        var utc = instant.UtcDateTime;
        Digits(target, 0, 2, utc.Month);
        target[2] = (byte)'/';
        Digits(target, 3, 2, utc.Day);
        target[5] = (byte)'/';
        Digits(target, 6, 4, utc.Year);
        target[10] = (byte)' ';
        Clock(target, 11, utc);
    }

    /// <summary>Seconds with six decimals, <c>1763632828.123456</c>. Returns the length.</summary>
    public static int FormatSeconds(long microseconds, Span<byte> target)
    {
        Utf8Formatter.TryFormat(microseconds / 1_000_000, target, out var length);
        target[length] = (byte)'.';
        Digits(target, length + 1, 6, (int)(microseconds % 1_000_000));
        return length + 7;
    }

    /// <summary>Reads an ISO 8601 point in time; without an offset it is UTC.</summary>
    public static bool TryParse(string text, out DateTimeOffset instant)
        => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out instant);

    static void Clock(Span<byte> target, int at, DateTime utc)
    {
        Digits(target, at, 2, utc.Hour);
        target[at + 2] = (byte)':';
        Digits(target, at + 3, 2, utc.Minute);
        target[at + 5] = (byte)':';
        Digits(target, at + 6, 2, utc.Second);
    }

    internal static void Digits(Span<byte> target, int at, int count, int value)
    {
        for (var i = at + count - 1; i >= at; i--)
        {
            target[i] = (byte)('0' + value % 10);
            value /= 10;
        }
    }
}
