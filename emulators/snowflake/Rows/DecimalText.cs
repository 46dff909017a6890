using System.Buffers;
using System.Globalization;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Decimal numbers as text, of any length and with or without an exponent, as NUMBER columns hold them.</summary>
static class DecimalText
{
    // Larger exponents mean the same: zero, or out of range.
    const int MostExponent = 100_000;

    static readonly SearchValues<byte> DigitsAndPoint = SearchValues.Create("0123456789."u8);

    public enum Outcome
    {
        Done,
        NotANumber,
        TooLarge,
    }

    /// <summary>Rounds half away from zero to the scale of a NUMBER. Exact, however long the text is.</summary>
    /// <param name="text">The number, as in -12.5e-3.</param>
    /// <param name="type">The NUMBER, of at most 38 digits.</param>
    /// <param name="rounded">The number with exactly <see cref="SqlType.Scale"/> digits after the point.</param>
    public static Outcome Round(ReadOnlySpan<byte> text, SqlType type, out string rounded)
    {
        rounded = "";
        var negative = text is [(byte)'-', ..];
        if (negative)
            text = text[1..];
        var mark = text.IndexOfAny((byte)'e', (byte)'E');
        var exponent = 0;
        if (mark >= 0 && !int.TryParse(text[(mark + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
            return Outcome.NotANumber;
        var digits = mark < 0 ? text : text[..mark];
        var point = digits.IndexOf((byte)'.');
        var places = point < 0 ? digits.Length : digits.Length - 1;
        if (places == 0 || digits.ContainsAnyExcept(DigitsAndPoint) || digits.LastIndexOf((byte)'.') != point)
            return Outcome.NotANumber;

        // The value in units of the last digit that is kept. The limit, the first value that is too large, is at most 10^38.
        UInt128 value = 0;
        UInt128 limit = 1;
        for (var i = 0; i < type.Length + type.Scale; i++)
            limit *= 10;
        // The power of ten of the next digit.
        var power = (point < 0 ? digits.Length : point) - 1 + Math.Clamp(exponent, -MostExponent, MostExponent);
        var roundUp = false;
        for (var i = 0; i < digits.Length; i++)
        {
            if (i == point)
                continue;
            if (power >= -type.Scale && !TryAppend(ref value, digits[i] - '0', limit))
                return Outcome.TooLarge;
            // The first dropped digit decides.
            roundUp |= power == -type.Scale - 1 && digits[i] >= '5';
            power--;
        }
        for (; power >= -type.Scale && value > 0; power--)
        {
            if (!TryAppend(ref value, 0, limit))
                return Outcome.TooLarge;
        }
        if (roundUp && ++value == limit)
            return Outcome.TooLarge;
        rounded = value.ToString(CultureInfo.InvariantCulture).PadLeft(type.Scale + 1, '0');
        if (type.Scale > 0)
            rounded = rounded.Insert(rounded.Length - type.Scale, ".");
        if (negative && value > 0)
            rounded = "-" + rounded;
        return Outcome.Done;
    }

    /// <summary>Appends a digit; false if the value would reach the limit.</summary>
    static bool TryAppend(ref UInt128 value, int digit, UInt128 limit)
    {
        if (value >= limit / 10)
            return false;
        value = value * 10 + (UInt128)digit;
        return true;
    }
}
