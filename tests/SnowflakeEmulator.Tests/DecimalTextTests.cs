using System.Globalization;
using System.Numerics;
using System.Text;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>Rounding of decimal text, compared with exact integers.</summary>
public class DecimalTextTests
{
    [Fact]
    public void Rounding_is_that_of_exact_integers()
    {
        var (random, seed) = Testing.Seed.Next();
        for (var i = 0; i < 20_000; i++)
        {
            var precision = random.Next(1, 39);
            var type = SqlType.Number(precision, random.Next(0, precision + 1));
            var digits = string.Concat(Enumerable.Range(0, random.Next(1, 50)).Select(_ => "0123456789959"[random.Next(13)]));
            var point = random.Next(0, digits.Length + 1);
            var exponent = random.Next(-60, 60);
            var sign = random.Next(2) == 0 ? "-" : "";
            var text = $"{sign}{digits[..point]}.{digits[point..]}{(random.Next(2) == 0 ? $"e{exponent}" : "")}";
            var shift = (text.Contains('e', StringComparison.Ordinal) ? exponent : 0) - (digits.Length - point) + type.Scale;

            var outcome = DecimalText.Round(Encoding.ASCII.GetBytes(text), type, out var rounded);

            var value = Rounded(BigInteger.Parse(digits, CultureInfo.InvariantCulture), shift);
            var fits = value < BigInteger.Pow(10, type.Length + type.Scale);
            Assert.True(fits == (outcome == DecimalText.Outcome.Done), $"seed {seed}: {text} as {type}: {outcome}");
            if (!fits)
                continue;
            var expected = value.ToString(CultureInfo.InvariantCulture).PadLeft(type.Scale + 1, '0');
            if (type.Scale > 0)
                expected = expected.Insert(expected.Length - type.Scale, ".");
            Assert.True(
                rounded == (value.IsZero ? "" : sign) + expected,
                $"seed {seed}: {text} as {type} is {rounded}, not {sign}{expected}"
            );
        }
    }

    /// <summary>digits × 10^shift, rounded half up.</summary>
    static BigInteger Rounded(BigInteger digits, int shift)
    {
        if (shift >= 0)
            return digits * BigInteger.Pow(10, shift);
        var divisor = BigInteger.Pow(10, -shift);
        return (digits * 2 + divisor) / (divisor * 2);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData(".")]
    [InlineData("1.2.3")]
    [InlineData("1e")]
    [InlineData("e5")]
    [InlineData("1e5x")]
    [InlineData("12x")]
    [InlineData("99999999999999999999x")]
    [InlineData("--1")]
    public void What_is_not_a_number_is_told_so(string text) =>
        Assert.Equal(DecimalText.Outcome.NotANumber, DecimalText.Round(Encoding.ASCII.GetBytes(text), SqlType.Number(10, 2), out _));

    [Theory]
    [InlineData("1e2000000", nameof(DecimalText.Outcome.TooLarge))]
    [InlineData("1e-2000000", nameof(DecimalText.Outcome.Done))]
    [InlineData("0e2000000", nameof(DecimalText.Outcome.Done))]
    public void An_extreme_exponent_is_zero_or_out_of_range(string text, string outcome) =>
        Assert.Equal(outcome, DecimalText.Round(Encoding.ASCII.GetBytes(text), SqlType.Number(38, 37), out _).ToString());
}
