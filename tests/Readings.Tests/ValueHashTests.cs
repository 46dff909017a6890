using System.Buffers.Text;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Readings.Tests;

/// <summary>What makes two values the same reading's.</summary>
public sealed class ValueHashTests
{
    [Theory]
    [InlineData("21.5", "21.50")]
    [InlineData("21.5", "2150e-2")]
    [InlineData("21.5", "\"21.5\"")]
    [InlineData("21.5", "\" +21.5 \"")]
    [InlineData("0.5", "\".5\"")]
    [InlineData("5", "\"5.\"")]
    [InlineData("1e300", "10E299")]
    public void A_number_is_the_same_however_it_is_spelled(string one, string other) => Assert.Equal(Hash(one), Hash(other));

    [Theory]
    [InlineData("21.5", "21.6")]
    [InlineData("21.5", "\"21.5 °C\"")]
    [InlineData("\"7f3a\"", "\"7f3b\"")]
    [InlineData("\"2026-11-20\"", "2026")]
    [InlineData("\"1e\"", "1")]
    public void Another_value_is_another(string one, string other) => Assert.NotEqual(Hash(one), Hash(other));

    [Fact]
    public void A_text_is_a_number_exactly_if_the_general_parser_takes_all_of_it()
    {
        const string alphabet = "0123456789+-.eEinftyaINFTYAbcxT:_ ";
        string[] parts =
        [
            "Infinity",
            "-Infinity",
            "+infinity",
            "INFINITY",
            "NaN",
            "nan",
            "-NaN",
            "1e",
            "e5",
            "0x1F",
            "1e+300",
            "12345678901234567890",
        ];
        var (random, seed) = Seed.Next();
        for (var i = 0; i < 20_000; i++)
        {
            var text =
                random.Next(3) == 0
                    ? parts[random.Next(parts.Length)] + (random.Next(2) == 0 ? "" : alphabet[random.Next(alphabet.Length)])
                    : string.Concat(Enumerable.Range(0, random.Next(1, 24)).Select(_ => alphabet[random.Next(alphabet.Length)]));
            var bytes = Encoding.UTF8.GetBytes(text.Trim());
            var expected = new ValueHash();
            if (Utf8Parser.TryParse(bytes, out double number, out var length) && length == bytes.Length)
                expected.Add((ulong)BitConverter.DoubleToInt64Bits(number));
            else
                expected.Add(bytes);

            Assert.True(expected.Value == Hash($"\"{text}\""), $"'{text}', seed {seed}");
        }
    }

    static uint Hash(string json)
    {
        var hash = new ValueHash();
        hash.AddJson(Encoding.UTF8.GetBytes(json));
        return hash.Value;
    }
}
