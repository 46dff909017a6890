using System.Globalization;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Readings.Tests;

/// <summary>The fast way to read a number must give the very bits that .NET's parser gives: fingerprints on disk depend on them.</summary>
public sealed class ShortNumberTests
{
    [Theory]
    [InlineData("0")]
    [InlineData("-0")]
    [InlineData("0.1")]
    [InlineData("-0.0")]
    [InlineData("21.5")]
    [InlineData("999999999999999")]
    [InlineData("0.99999999999999")]
    [InlineData("000000000000001")]
    [InlineData("101325.00")]
    public void A_plain_number_has_the_bits_of_the_general_parser(string text)
    {
        Assert.True(ShortNumber.TryParse(Encoding.ASCII.GetBytes(text), out var number));
        Assert.Equal(
            BitConverter.DoubleToInt64Bits(double.Parse(text, CultureInfo.InvariantCulture)),
            BitConverter.DoubleToInt64Bits(number)
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData(".")]
    [InlineData(".5")]
    [InlineData("5.")]
    [InlineData("-.5")]
    [InlineData("1.2.3")]
    [InlineData("1e5")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1234567890123456")]
    [InlineData("0.1234567890123456")]
    [InlineData("pi-4")]
    [InlineData("2026-11-20")]
    public void Everything_else_is_left_to_the_general_parser(string text) =>
        Assert.False(ShortNumber.TryParse(Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void Random_numbers_have_the_bits_of_the_general_parser()
    {
        var (random, seed) = Seed.Next();
        for (var i = 0; i < 200_000; i++)
        {
            var (digits, decimals) = (random.Next(1, 16), random.Next(0, 16));
            var text = string.Concat(Enumerable.Range(0, digits).Select(_ => (char)('0' + random.Next(10))));
            if (decimals > 0 && decimals < digits)
                text = text.Insert(digits - decimals, ".");
            if (random.Next(2) == 0)
                text = $"-{text}";
            Assert.True(ShortNumber.TryParse(Encoding.ASCII.GetBytes(text), out var number), $"{text}, seed {seed}");
            Assert.True(
                BitConverter.DoubleToInt64Bits(double.Parse(text, CultureInfo.InvariantCulture)) == BitConverter.DoubleToInt64Bits(number),
                $"{text}, seed {seed}"
            );
        }
    }
}
