using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;

namespace ThermalStreaming.Hosting.Tests;

/// <summary>What the console and <c>thermalctl status</c> say of a forwarder.</summary>
public sealed class ForwarderFindingsTests
{
    static readonly DateTimeOffset now = new(2026, 11, 20, 10, 0, 0, TimeSpan.Zero);

    readonly SlotStatus slot = new() { Name = "slot-0" };
    readonly ForwarderStatus status = new()
    {
        Info = new ServiceInfo
        {
            Service = "snowpipe-forwarder",
            Ready = true,
            Time = Timestamp.FromDateTimeOffset(now),
        },
    };

    public ForwarderFindingsTests() => status.Slots.Add(slot);

    [Fact]
    public void A_forwarder_that_is_well_has_none() =>
        Assert.Empty(ForwarderFindings.Of(status).Concat(ForwarderFindings.OfVolume([status])).Concat(ForwarderFindings.OfVolume([])));

    [Theory]
    // New: somebody must look at the disk.
    [InlineData(23, 0, true)]
    [InlineData(23, 1, true)]
    // Of yesterday, and something may be recovered.
    [InlineData(25, 1, false)]
    // An earlier release found it.
    [InlineData(null, 1, false)]
    // Nothing is left to do.
    [InlineData(25, 0, null)]
    [InlineData(null, 0, null)]
    public void A_loss_is_urgent_for_a_day_and_a_remark_until_quarantine_is_empty(int? hours, int files, bool? isUrgent)
    {
        slot.LostReadings = 120;
        slot.LossAge = hours is { } age ? Duration.FromTimeSpan(TimeSpan.FromHours(age)) : null;
        slot.QuarantinedFiles = (uint)files;

        var findings = ForwarderFindings.Of(status).ToList();

        Assert.Equal(isUrgent is { } urgent ? [urgent] : [], findings.Select(finding => finding.IsUrgent));
        Assert.All(findings, finding => Assert.StartsWith("Damage to the disk has cost 120 stored readings", finding.What));
    }

    /// <summary>A loss of last year in one slot is not news because another slot has one of today.</summary>
    [Fact]
    public void The_newest_loss_counts()
    {
        (slot.LostReadings, slot.LossAge) = (100, Duration.FromTimeSpan(TimeSpan.FromDays(300)));
        status.Slots.Add(
            new SlotStatus
            {
                Name = "slot-1",
                LostReadings = 3,
                LossAge = Duration.FromTimeSpan(TimeSpan.FromHours(2)),
            }
        );

        var finding = Assert.Single(ForwarderFindings.Of(status));

        Assert.Equal("Damage to the disk has cost 103 stored readings, the last found 2 hours ago.", finding.What);
        Assert.Equal((true, TimeSpan.FromHours(2)), (finding.IsUrgent, finding.Age));
    }

    /// <summary>A running service holds the lock of its journal: there the verb only asks for it to be stopped.</summary>
    [Fact]
    public void The_fix_of_a_loss_stops_the_service_first_and_only_recovers_where_something_is_kept()
    {
        (slot.LostReadings, slot.LossAge, slot.QuarantinedFiles) = (1, Duration.FromTimeSpan(TimeSpan.Zero), 1);
        var fix = Assert.Single(ForwarderFindings.Of(status)).Fix;

        Assert.Contains(
            "docker compose stop snowpipe-forwarder && docker compose run --rm snowpipe-forwarder journal recover. ",
            fix,
            StringComparison.Ordinal
        );
        Assert.EndsWith("then docker compose start snowpipe-forwarder.", fix, StringComparison.Ordinal);
        Assert.DoesNotContain("exec", fix, StringComparison.Ordinal);

        slot.QuarantinedFiles = 0;
        Assert.DoesNotContain("journal recover", Assert.Single(ForwarderFindings.Of(status)).Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void A_part_has_the_fix_of_the_error_that_broke_it_and_the_error_no_second_line()
    {
        Fails("the key of this user is refused", TimeSpan.Zero, fix: "ALTER USER … SET RSA_PUBLIC_KEY");
        status.Info.Ready = false;
        status.Info.Parts.Add(new Part { Name = "delivery slot-0", Problem = "the key of this user is refused (next attempt in 60 s)" });
        status.Info.Parts.Add(new Part { Name = "mqtt slot-0", Problem = "connection refused" });

        Assert.Equal(
            [
                ("delivery slot-0", true, "The key of this user is refused (next attempt in 60 s)", "ALTER USER … SET RSA_PUBLIC_KEY."),
                ("mqtt slot-0", true, "Connection refused.", "./check finds the cause and says what to do."),
            ],
            ForwarderFindings.Of(status).Select(finding => (finding.Where, finding.IsUrgent, finding.What, finding.Fix))
        );
    }

    [Theory]
    [InlineData(9, true)]
    [InlineData(11, false)]
    public void An_error_that_is_over_is_a_remark_for_ten_minutes(int minutes, bool isShown)
    {
        Fails("503 SlowDown", TimeSpan.FromMinutes(minutes));

        Assert.Equal(
            isShown ? [("It had an error 9 minutes ago: 503 SlowDown.", false)] : [],
            ForwarderFindings.Of(status).Select(finding => (finding.What, finding.IsUrgent))
        );
    }

    [Fact]
    public void A_service_that_is_not_ready_and_does_not_say_why_is_urgent()
    {
        status.Info.Ready = false;

        Assert.True(Assert.Single(ForwarderFindings.Of(status)).IsUrgent);
    }

    [Fact]
    public void Late_delivery_is_a_remark_unless_it_is_paused()
    {
        status.BacklogReadings = 12_480;
        status.Lag = Duration.FromTimeSpan(TimeSpan.FromMinutes(52));
        var finding = Assert.Single(ForwarderFindings.Of(status));

        Assert.Equal("12,480 readings wait here for delivery, the oldest for 52 minutes.", finding.What);
        Assert.False(finding.IsUrgent);

        status.Paused = true;
        Assert.Empty(ForwarderFindings.Of(status));
    }

    [Fact]
    public void What_replicas_share_is_found_once()
    {
        status.DeadLetters = 3;
        status.Paused = true;
        status.Info.Parts.Add(new Part { Name = "delivery slot-0", Note = "paused since 2026-11-20 09:00:00 UTC because of works" });
        var other = status.Clone();
        other.Paused = false;

        Assert.Equal(
            [
                ("Delivery is paused since 2026-11-20 09:00:00 UTC because of works.", false),
                ("3 dead letters: something that came could not be stored or delivered.", false),
            ],
            ForwarderFindings.OfVolume([other, status]).Select(finding => (finding.What, finding.IsUrgent))
        );
    }

    void Fails(string message, TimeSpan ago, string fix = "") =>
        status.LastError = new Problem
        {
            At = Timestamp.FromDateTimeOffset(now - ago),
            Code = "Transient",
            Message = message,
            Fix = fix,
        };
}
