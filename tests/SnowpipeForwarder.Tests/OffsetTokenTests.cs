namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>Offset tokens: what is written into a channel, and what is read back.</summary>
public sealed class OffsetTokenTests
{
    [Theory]
    [InlineData("1a2b3c4d5e6f7081:00000000000000000041", "1a2b3c4d5e6f7081", 41)]
    [InlineData("e:7", "e", 7)]
    public void Offset_tokens_are_read_back(string text, string epoch, long offset)
    {
        Assert.True(OffsetToken.TryParse(text, out var token));
        Assert.Equal(new OffsetToken(epoch, offset), token);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("41")]
    [InlineData(":41")]
    [InlineData("e:")]
    [InlineData("e:-1")]
    [InlineData("e: 1")]
    [InlineData("e:99999999999999999999")]
    public void What_is_no_offset_token_is_not_one(string? text) => Assert.False(OffsetToken.TryParse(text, out _));

    [Fact]
    public void Offset_tokens_sort_as_text() =>
        Assert.True(string.CompareOrdinal(new OffsetToken("e", 9).ToString(), new OffsetToken("e", 10).ToString()) < 0);
}
