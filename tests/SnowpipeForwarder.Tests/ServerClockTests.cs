using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>Signing in on a machine whose clock is wrong: Snowflake's clock counts.</summary>
public sealed class ServerClockTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(24 * 365)]
    public async Task A_clock_that_is_hours_off_still_signs_in_and_is_reported_once(int hours)
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Now = () => fixture.Clock.GetUtcNow() + TimeSpan.FromHours(hours);

        await fixture.OpenAsync();
        fixture.Clock.Advance(TimeSpan.FromMinutes(20));
        await fixture.PollAsync();

        Assert.Equal(2, fixture.Server.Of("hostname").Count());
        Assert.Equal(2, fixture.Server.Of("token").Count());
        var line = Assert.Single(fixture.Log.Of(SnowpipeEvents.ClockIsWrong));
        Assert.Contains(hours > 0 ? "behind" : "ahead of", line);
    }

    [Theory]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT")]
    [InlineData("Mon, 01 Jan 0001 00:00:00 GMT")]
    [InlineData("Thu, 01 Jan 1970 00:00:00 GMT")]
    public async Task A_date_that_cannot_be_is_not_believed(string date)
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.DateHeader = date;

        await fixture.OpenAsync();
        fixture.Clock.Advance(TimeSpan.FromMinutes(20));
        await fixture.PollAsync();

        Assert.Null(fixture.Client.ServerClock.Offset);
        Assert.Equal(fixture.Clock.GetUtcNow(), fixture.Client.ServerClock.UtcNow);
        Assert.Empty(fixture.Log.Messages());
    }

    [Fact]
    public async Task A_date_that_is_years_off_is_forgotten_with_the_next()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.DateHeader = "Thu, 31 Dec 2099 23:59:59 GMT";
        await fixture.PollAsync();
        fixture.Server.DateHeader = null;
        fixture.Clock.Advance(TimeSpan.FromMinutes(20));

        await fixture.PollAsync();
        await fixture.PollAsync();

        Assert.InRange(fixture.Client.ServerClock.Offset!.Value, TimeSpan.FromSeconds(-2), TimeSpan.FromSeconds(2));
    }

    [Theory]
    [InlineData(0.4, "0.4 s")]
    [InlineData(-90, "90.0 s")]
    [InlineData(3600, "60 minutes")]
    [InlineData(86_400, "24 hours")]
    [InlineData(1_795_719_840.4, "20784 days")]
    public void A_difference_between_clocks_is_said_in_a_persons_units(double seconds, string expected) =>
        Assert.Equal(expected, ServerClock.Say(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public async Task A_step_of_the_wall_clock_changes_nothing()
    {
        await using var fixture = await SinkFixture.StartAsync();
        var stepped = TimeSpan.Zero;
        fixture.Server.Now = () => fixture.Clock.GetUtcNow() - stepped;
        await fixture.OpenAsync();

        foreach (var step in new[] { TimeSpan.FromHours(1), TimeSpan.FromHours(-2) })
        {
            fixture.Clock.Step(step);
            stepped += step;
            await fixture.PollAsync();
            fixture.Clock.Advance(TimeSpan.FromMinutes(10));
            await fixture.PollAsync();
        }

        Assert.Equal(3, fixture.Server.Of("token").Count());
        Assert.Single(fixture.Server.Of("hostname"));
    }
}
