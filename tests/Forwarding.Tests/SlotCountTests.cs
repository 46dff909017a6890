using Microsoft.Extensions.Configuration;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>The setting SLOTS.</summary>
public sealed class SlotCountTests
{
    [Theory]
    [InlineData(null, 1, 1)]
    [InlineData("4", 4, 4)]
    [InlineData("1..4", 1, 4)]
    [InlineData("2 .. 16", 2, 16)]
    [InlineData("3..3", 3, 3)]
    public void One_number_or_two(string? text, int least, int most)
    {
        var settings = Settings(text);

        Assert.Equal(new SlotCount(least, most), SlotCount.Load(settings));
        Assert.Empty(settings.Problems);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("17")]
    [InlineData("1..17")]
    [InlineData("0..4")]
    [InlineData("4..1")]
    [InlineData("1...4")]
    [InlineData("1..2..3")]
    [InlineData("1..")]
    [InlineData("-1")]
    [InlineData("many")]
    public void Anything_else_is_a_problem_that_says_what_is_allowed(string text)
    {
        var settings = Settings(text);

        SlotCount.Load(settings);

        Assert.Equal(
            $"SLOTS is '{text}'; it must be a whole number, 1 to 16, or two with .. between them, the smaller one first, such as 1..4.",
            Assert.Single(settings.Problems)
        );
    }

    static Settings Settings(string? text) =>
        new(new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("SLOTS", text)]).Build());
}
