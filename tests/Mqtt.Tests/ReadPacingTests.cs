using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>When a reader lets messages gather: they must follow one another closely, so that none that comes alone is late.</summary>
public sealed class ReadPacingTests
{
    readonly ManualClock clock = new();

    [Fact]
    public void A_message_that_comes_alone_is_followed_by_no_pause()
    {
        var pacing = new ReadPacing(clock);
        for (var message = 0; message < 5; message++)
        {
            pacing.ReadingBegins();
            clock.Advance(TimeSpan.FromMilliseconds(2));
            Assert.False(pacing.ShouldPause(300, hasMessages: true));
        }
    }

    [Fact]
    public void Messages_that_follow_one_another_closely_gather()
    {
        var pacing = new ReadPacing(clock);
        pacing.ReadingBegins();
        clock.Advance(TimeSpan.FromMilliseconds(0.1));
        Assert.True(pacing.ShouldPause(300, hasMessages: true));
    }

    [Fact]
    public void The_pause_itself_does_not_count_as_the_time_between_messages()
    {
        var pacing = new ReadPacing(clock);
        for (var message = 0; message < 5; message++)
        {
            pacing.ReadingBegins();
            clock.Advance(TimeSpan.FromMilliseconds(0.1));
            Assert.True(pacing.ShouldPause(300, hasMessages: true));
            clock.Advance(TimeSpan.FromMilliseconds(40));
        }
    }

    [Theory]
    [InlineData(16 * 1024, true)]
    [InlineData(60_000, true)]
    [InlineData(4, false)]
    public void A_read_that_brought_much_or_acknowledgements_alone_is_followed_by_no_pause(int bytes, bool hasMessages)
    {
        var pacing = new ReadPacing(clock);
        pacing.ReadingBegins();
        Assert.False(pacing.ShouldPause(bytes, hasMessages));
    }
}
