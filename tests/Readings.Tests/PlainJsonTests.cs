using System.Text;
using System.Text.Json;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Readings.Tests;

/// <summary>The plain reader takes exactly the numbers and texts that are JSON, wherever they end.</summary>
public sealed class PlainJsonTests
{
    const string NumberLetters = "0123456789.-+eE";

    [Theory]
    [InlineData("0")]
    [InlineData("-0.5e+10")]
    [InlineData("123456789012345")]
    [InlineData("1234567890123456")]
    [InlineData("12345678901234.5")]
    [InlineData("123456789012345.6789012345678901")]
    public void Takes_numbers_of_any_length(string number)
    {
        foreach (
            var text in new[] { $"{{\"co2\":{number}}}", $"{{\"co2\": {number} ,\"hostname\":\"a name that is longer than a step\"}}" }
        )
            Assert.Equal(number, Value(text, ThermalRow.Co2));
    }

    [Fact]
    public void Takes_what_JSON_takes()
    {
        var (random, seed) = Seed.Next();
        var taken = 0;
        for (var round = 0; round < 200_000; round++)
        {
            var isText = random.Next(3) == 0;
            var value = isText ? $"\"{Letters(random, "ab\"\\\u0001é ")}\"" : Letters(random, NumberLetters);
            var key = isText ? ThermalRow.HostName : ThermalRow.Co2;
            var rest = random.Next(3) switch
            {
                0 => "}",
                1 => "\n}  ",
                _ => ",\"macaddress\":\"dc:a6:32:01:02:03\",\"cpu\":7}",
            };
            var text = $"{{\"{key.Name}\":{value}{rest}";
            // Escapes and repeated keys are JSON too, but the general reader's.
            var expected = !value.Contains('\\') && IsJson(text) ? value : null;
            Assert.True(expected == Value(text, key), $"seed {seed}, round {round}: {text}\nis {expected ?? "not plain"}");
            taken += expected is null ? 0 : 1;
        }
        Assert.InRange(taken, 20_000, 180_000);
    }

    static string Letters(Random random, string from) =>
        string.Concat(Enumerable.Range(0, random.Next(1, 40) / (random.Next(8) + 1) + 1).Select(_ => from[random.Next(from.Length)]));

    static bool IsJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The value under a key as the plain reader sees it; null if it gives up.</summary>
    static string? Value(string text, RowKey key)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (PlainJson.TryRead(bytes, JsonFields.Thermal) is not { } items)
            return null;
        var (start, length) = Assert.Single(items).Value(Index(key));
        return Encoding.UTF8.GetString(bytes, start, length);
    }

    static int Index(RowKey key) => Enumerable.Range(0, JsonFields.Thermal.Count).First(i => JsonFields.Thermal[i].Key == key);
}
