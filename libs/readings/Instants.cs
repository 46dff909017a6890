using System.Buffers.Text;

namespace ThermalStreaming.Readings;

/// <summary>Points in time as the rows write them. Always UTC.</summary>
public static class Instants
{
    /// <summary>Length of <see cref="FormatIso"/>.</summary>
    public const int IsoLength = 32;

    /// <summary>Length of <see cref="FormatAmerican"/>.</summary>
    public const int AmericanLength = 19;

    public static DateTimeOffset FromMicroseconds(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * 10);

    public static long ToMicroseconds(DateTimeOffset instant) => (instant.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / 10;

    /// <summary>
    /// ISO 8601 with microseconds and offset, <c>2026-11-20T10:13:48.123456+00:00</c>, as the original's <c>datetimestamp</c>.
    /// </summary>
    public static void FormatIso(DateTimeOffset instant, Span<byte> target)
    {
        var utc = instant.UtcDateTime;
        var (year, month, day) = utc;
        "....-..-..T..:..:.........+00:00"u8.CopyTo(target);
        Digits(target, 0, 4, year);
        Digits(target, 5, 2, month);
        Digits(target, 8, 2, day);
        Digits(target, 11, 2, utc.Hour);
        Digits(target, 14, 2, utc.Minute);
        Digits(target, 17, 2, utc.Second);
        Digits(target, 20, 6, (int)(utc.Ticks / 10 % 1_000_000));
    }

    /// <summary>
    /// <c>MM/dd/yyyy HH:mm:ss</c>, as the original's <c>systemtime</c> and <c>starttime</c>, made from the result of
    /// <see cref="FormatIso"/>.
    /// </summary>
    public static void FormatAmerican(ReadOnlySpan<byte> iso, Span<byte> target)
    {
        "../../.... "u8.CopyTo(target);
        iso[5..7].CopyTo(target);
        iso[8..10].CopyTo(target[3..]);
        iso[..4].CopyTo(target[6..]);
        iso[11..19].CopyTo(target[11..]);
    }

    /// <summary>Seconds with six decimals, <c>1763632828.123456</c>. Returns the length.</summary>
    public static int FormatSeconds(long microseconds, Span<byte> target)
    {
        Utf8Formatter.TryFormat(microseconds / 1_000_000, target, out var length);
        target[length] = (byte)'.';
        Digits(target, length + 1, 6, (int)(microseconds % 1_000_000));
        return length + 7;
    }

    /// <summary>Whole seconds since 1970, rounded down, also before 1970.</summary>
    internal static long Seconds(long microseconds) => microseconds >= 0 ? microseconds / 1_000_000 : (microseconds - 999_999) / 1_000_000;

    internal static void Digits(Span<byte> target, int at, int count, int value)
    {
        for (var i = at + count - 1; i >= at; i--)
        {
            target[i] = (byte)('0' + value % 10);
            value /= 10;
        }
    }
}
