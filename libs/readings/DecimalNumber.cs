namespace ThermalStreaming.Readings;

/// <summary>
/// A decimal number as it is spelled, exact to the digits that 64 bits hold, 19 or 20: no <see cref="double"/> comes between a text and a
/// column's or a clock's value.
/// </summary>
readonly struct DecimalNumber
{
    /// <summary>This many digits always fit into 64 bits.</summary>
    const int SafeDigits = 19;

    readonly ulong digits;
    readonly int exponent;
    readonly bool isCut;

    DecimalNumber(bool isNegative, ulong digits, int exponent, int wholeDigits, bool isCut)
    {
        IsNegative = isNegative;
        this.digits = digits;
        this.exponent = exponent;
        this.isCut = isCut;
        WholeDigits = wholeDigits;
    }

    public bool IsNegative { get; }

    public bool IsZero => digits == 0;

    /// <summary>Digits in front of the point without leading zeros: 2 for 21.5, 0 for 0.5, -1 for 0.05.</summary>
    public int WholeDigits { get; }

    /// <summary>
    /// Reads digits with an optional sign, point and exponent: what RFC 8259 allows, and also <c>+1</c>, <c>.5</c>, <c>5.</c> and
    /// <c>007</c>, as texts spell numbers.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out DecimalNumber number)
    {
        number = default;
        var at = 0;
        var isNegative = text.Length > 0 && text[0] == '-';
        if (text.Length > 0 && text[0] is (byte)'-' or (byte)'+')
            at++;
        var (digits, count, exponent) = (0UL, 0, 0L);
        var (isAny, isFraction, isFull, isCut) = (false, false, false, false);
        for (; at < text.Length; at++)
        {
            var digit = (uint)text[at] - '0';
            if (digit > 9)
            {
                if (text[at] != '.' || isFraction)
                    break;
                isFraction = true;
                continue;
            }
            isAny = true;
            if (!isFull && (count < SafeDigits || digits <= (ulong.MaxValue - digit) / 10))
            {
                digits = digits * 10 + digit;
                count += digits > 0 ? 1 : 0;
                exponent -= isFraction ? 1 : 0;
            }
            else
            {
                isFull = true;
                exponent += isFraction ? 0 : 1;
                isCut |= digit > 0;
            }
        }
        if (!isAny)
            return false;
        if (at < text.Length)
        {
            if (text[at] is not ((byte)'e' or (byte)'E') || !TryParseExponent(text[(at + 1)..], out var power))
                return false;
            exponent += power;
        }
        exponent = digits == 0 ? 0 : Math.Clamp(exponent, -1_000_000, 1_000_000);
        number = new(isNegative, digits, (int)exponent, digits == 0 ? 0 : count + (int)exponent, isCut);
        return true;
    }

    /// <summary>The absolute value times a power of ten, without its fraction.</summary>
    /// <exception cref="OverflowException">It has more digits than fit.</exception>
    public ulong Scale(int power)
    {
        power += exponent;
        var value = digits;
        if (power < -SafeDigits)
            return 0;
        for (; power < 0; power++)
            value /= 10;
        for (; power > 0 && value > 0; power--)
            value = checked(value * 10);
        return value;
    }

    /// <summary>The number if it is a whole number from 0 to <see cref="ulong.MaxValue"/>, as 7, 7.0 and 70e-1 are.</summary>
    public bool TryGetWhole(out ulong whole)
    {
        whole = digits;
        if (IsZero)
            return true;
        if (IsNegative || isCut || WholeDigits is < 1 or > 20)
            return false;
        for (var power = exponent; power < 0; power++)
        {
            if (whole % 10 != 0)
                return false;
            whole /= 10;
        }
        for (var power = exponent; power > 0; power--)
        {
            if (whole > ulong.MaxValue / 10)
                return false;
            whole *= 10;
        }
        return true;
    }

    static bool TryParseExponent(ReadOnlySpan<byte> text, out long power)
    {
        power = 0;
        var isNegative = text.Length > 0 && text[0] == '-';
        if (text.Length > 0 && text[0] is (byte)'-' or (byte)'+')
            text = text[1..];
        if (text.IsEmpty)
            return false;
        foreach (var letter in text)
        {
            if (!char.IsAsciiDigit((char)letter))
                return false;
            power = Math.Min(power * 10 + (letter - '0'), 1_000_000);
        }
        power = isNegative ? -power : power;
        return true;
    }
}
