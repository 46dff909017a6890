using System.Text.Json;

namespace ThermalStreaming.Readings;

/// <summary>
/// Reads the time of a reading from a JSON value; no other code does. A time is ISO 8601 in its basic or extended form (without a zone it
/// is UTC), seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size, or RFC 1123. Digits beyond the
/// microsecond are cut off.
/// </summary>
static class ReadingTime
{
    /// <summary>For the person whose value was refused.</summary>
    public const string AcceptedForms =
        "accepted are ISO 8601 (2026-11-20T10:13:48Z), seconds, ms, µs or ns since 1970 (1795169628) and RFC 1123 (Fri, 20 Nov 2026 "
        + "10:13:48 GMT)";

    /// <summary>2001-01-01: an earlier time comes from a clock that was never set (they start in 1970, 1980 or 2000).</summary>
    public const long ClockSetMicroseconds = 978_307_200_000_000;

    /// <summary>1970-01-01T00:00 in the zone that is furthest ahead: the earliest time that a clock which was never set shows.</summary>
    const long MinMicroseconds = -14 * 3_600_000_000L;

    /// <summary>9999-12-31T23:59:59.999999.</summary>
    public const long MaxMicroseconds = 253_402_300_799_999_999;

    /// <summary>Longer texts are not times.</summary>
    const int MaxTextBytes = 80;

    /// <param name="value">A JSON number, or a JSON text with its quotation marks.</param>
    /// <param name="time">The instant.</param>
    public static bool TryParse(ReadOnlySpan<byte> value, out ParsedTime time)
    {
        time = default;
        if (value.IsEmpty)
            return false;
        if (value[0] != '"')
            return TryParseNumber(value, isText: false, out time);
        if (value.Length > 6 * MaxTextBytes)
            return false;
        var text = value[1..^1];
        if (text.Contains((byte)'\\'))
        {
            var reader = new Utf8JsonReader(value);
            reader.Read();
            var unescaped = new byte[value.Length];
            text = unescaped.AsSpan(0, reader.CopyString(unescaped));
        }
        text = text.Trim(NumberText.Space);
        return text.Length is > 0 and <= MaxTextBytes
            && (TryParseNumber(text, isText: true, out time) || IsoTime.TryParse(text, out time) || Rfc1123Time.TryParse(text, out time))
            && time.Microseconds is >= MinMicroseconds and <= MaxMicroseconds;
    }

    /// <summary>
    /// Seconds, ms, µs or ns since 1970: the unit in which the time lies between 2001 and 2286. A JSON number may also be smaller: seconds
    /// of a clock that was not set. A text may not, because a day (20261120) or a clock time (11.20) looks like that.
    /// </summary>
    static bool TryParseNumber(ReadOnlySpan<byte> text, bool isText, out ParsedTime time)
    {
        time = default;
        if (!DecimalNumber.TryParse(text, out var number) || (number.IsNegative && !number.IsZero))
            return false;
        int? exponent = number.WholeDigits switch
        {
            10 => 6,
            13 => 3,
            16 => 0,
            19 => -3,
            < 10 when !isText => 6,
            _ => null,
        };
        if (exponent is null)
            return false;
        time = new((long)number.Scale(exponent.Value), IsUtc: true);
        return true;
    }
}
