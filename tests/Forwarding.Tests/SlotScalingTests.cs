using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>When a replica opens one slot more, and when one less.</summary>
public sealed class SlotScalingTests
{
    static readonly ScalingPace pace = ScalingPace.Usual;
    static readonly TimeSpan late = TimeSpan.FromMinutes(10);

    readonly ManualClock clock = new();
    SlotScaling scaling;
    long committed;

    public SlotScalingTests() => scaling = new SlotScaling(1, 3, pace, clock);

    [Fact]
    public void Opens_a_slot_when_readings_are_late_and_become_later()
    {
        var opened = During(pace.Patience + pace.Look, slots: 1, lag: at => late + at);

        Assert.Equal([SlotChange.Open], opened);
    }

    [Fact]
    public void Opens_none_before_its_patience_has_ended() =>
        Assert.Empty(During(pace.Patience - pace.Look, slots: 1, lag: at => late + at));

    [Fact]
    public void Opens_the_next_one_only_after_as_long_again()
    {
        Assert.Single(During(pace.Patience + pace.Look, slots: 1, lag: at => late + at));

        Assert.Empty(During(pace.Patience - 2 * pace.Look, slots: 2, lag: at => 2 * late + at));
        Assert.Equal([SlotChange.Open], During(3 * pace.Look, slots: 2, lag: at => 3 * late + at));
    }

    [Fact]
    public void Opens_none_beyond_the_most() => Assert.Empty(During(TimeSpan.FromHours(5), slots: 3, lag: at => late + at));

    /// <summary>A backlog that an outage left belongs to the journals that have it.</summary>
    [Fact]
    public void Opens_none_while_what_is_late_is_being_caught_up() =>
        Assert.Empty(During(TimeSpan.FromHours(1), slots: 1, lag: at => TimeSpan.FromHours(2) - at));

    /// <summary>Snowflake is away: another slot would find it away too.</summary>
    [Fact]
    public void Opens_none_while_nothing_is_committed() =>
        Assert.Empty(During(TimeSpan.FromHours(5), slots: 1, lag: at => late + at, commits: false));

    /// <summary>An outage ends, and the slot catches up within moments: it had no chance before.</summary>
    [Fact]
    public void An_outage_does_not_count_as_being_slow()
    {
        Assert.Empty(During(TimeSpan.FromHours(1), slots: 1, lag: at => late + at, commits: false));

        Assert.Empty(During(pace.Patience - pace.Look, slots: 1, lag: at => late + at));
    }

    [Fact]
    public void What_waits_for_its_batch_to_fill_is_not_late()
    {
        var linger = TimeSpan.FromMinutes(30);

        Assert.Empty(During(TimeSpan.FromHours(5), slots: 1, lag: at => linger + at / 100, linger: linger));
    }

    [Fact]
    public void Closes_a_slot_after_an_hour_without_late_readings()
    {
        Assert.Empty(During(pace.Calm - pace.Look, slots: 2, lag: _ => TimeSpan.Zero));

        Assert.Equal([SlotChange.Close], During(2 * pace.Look, slots: 2, lag: _ => TimeSpan.Zero));
    }

    [Fact]
    public void A_late_reading_begins_the_hour_again()
    {
        Assert.Empty(During(pace.Calm - pace.Look, slots: 2, lag: _ => TimeSpan.Zero));
        Assert.Empty(During(pace.Look, slots: 2, lag: _ => late));

        Assert.Empty(During(pace.Calm - pace.Look, slots: 2, lag: _ => TimeSpan.Zero));
    }

    [Fact]
    public void Closes_none_of_the_least() => Assert.Empty(During(TimeSpan.FromDays(2), slots: 1, lag: _ => TimeSpan.Zero));

    /// <summary>Otherwise a slot that is needed would come and go every hour.</summary>
    [Fact]
    public void A_slot_that_was_needed_after_all_is_closed_later_the_next_time()
    {
        Assert.Single(During(pace.Calm + pace.Look, slots: 2, lag: _ => TimeSpan.Zero));
        Assert.Equal([SlotChange.Open], During(pace.Patience + pace.Look, slots: 1, lag: at => late + at));

        Assert.Empty(During(2 * pace.Calm - pace.Look, slots: 2, lag: _ => TimeSpan.Zero));
        Assert.Equal([SlotChange.Close], During(3 * pace.Look, slots: 2, lag: _ => TimeSpan.Zero));
    }

    [Fact]
    public void A_pause_counts_neither_as_late_nor_as_calm()
    {
        Assert.Empty(During(pace.Patience - pace.Look, slots: 1, lag: at => late + at));
        scaling.Rest();
        Assert.Empty(During(pace.Patience - pace.Look, slots: 1, lag: at => 2 * late + at));

        scaling = new SlotScaling(1, 3, pace, clock);
        Assert.Empty(During(pace.Calm - pace.Look, slots: 2, lag: _ => TimeSpan.Zero));
        scaling.Rest();
        Assert.Empty(During(pace.Calm - pace.Look, slots: 2, lag: _ => TimeSpan.Zero));
    }

    /// <returns>What was to be done in that time, with a look every ten seconds.</returns>
    List<SlotChange> During(TimeSpan time, int slots, Func<TimeSpan, TimeSpan> lag, bool commits = true, TimeSpan linger = default)
    {
        var changes = new List<SlotChange>();
        for (var at = TimeSpan.Zero; at < time; at += pace.Look)
        {
            clock.Advance(pace.Look);
            if (commits)
                committed++;
            if (scaling.Look(slots, lag(at), committed, linger) is not SlotChange.None and var change)
                changes.Add(change);
        }
        return changes;
    }
}
