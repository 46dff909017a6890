using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>Dates decide about folders; they must not decide about the number of requests.</summary>
public sealed class PartitionTests(ITestOutputHelper output) : SinkTest
{
    const string Other = "inverter-data/other-dates/";

    [Theory]
    [InlineData(300, 1)]
    [InlineData(300, 4)]
    [InlineData(3000, 100)]
    public async Task Many_dates_become_few_objects(int dates, int files)
    {
        Spool.BatchReadings = dates;
        Spool.AddInverters(dates, change: (i, reading) => reading.ObservedAtUs = Instants.ToMicroseconds(Spool.Noon.AddDays(-i)));

        await Spool.DeliverAsync(NewSink(Options(files)));

        AssertOnce(dates);
        Assert.Equal(9, S3.Calls.Count(call => call.Method == "PUT"));
        // The latest dates of those with as many readings, and one object for the rest.
        Assert.Equal(
            [.. Enumerable.Range(0, 8).Select(i => $"inverter-data/2026-11-{20 - i:00}/").Order(StringComparer.Ordinal), Other],
            S3.In().Select(entry => entry.Key[..(entry.Key.LastIndexOf('/') + 1)]).Distinct()
        );
        Assert.Equal(dates - 8, S3.Sequences(Other).Count);
    }

    [Fact]
    public async Task Invalid_readings_of_many_dates_do_not_multiply_either()
    {
        Spool.AddInverters(
            300,
            change: (i, reading) =>
            {
                reading.ObservedAtUs = Instants.ToMicroseconds(Spool.Noon.AddDays(-(i % 150)));
                reading.PacW = i % 2 == 0 ? 1 : 3000;
            }
        );

        await Spool.DeliverAsync(NewSink(Options(files: 4)));

        AssertOnce(300);
        Assert.InRange(S3.Calls.Count(call => call.Method == "PUT"), 2, 18);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(-364, true)]
    [InlineData(-367, false)]
    [InlineData(-20_000, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2_000_000, false)]
    public async Task A_date_outside_the_window_goes_to_the_other_dates(int days, bool isPlausible)
    {
        Spool.AddInverters(3);
        Spool.AddInverters(2, Spool.Noon.AddDays(days));

        await Spool.DeliverAsync(NewSink(Options(files: 1)));

        AssertOnce(5);
        Assert.Equal(isPlausible ? [] : [4UL, 5UL], S3.Sequences(Other));
        Assert.Equal(
            isPlausible ? 0 : 1,
            Spool.LoggedWarnings.Count(line => line.Contains("filed under other-dates/", StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task The_limits_are_settings()
    {
        Spool.AddInverters(30, change: (i, reading) => reading.ObservedAtUs = Instants.ToMicroseconds(Spool.Noon.AddDays(-(i % 10))));

        await Spool.DeliverAsync(
            NewSink(Options(files: 1) with { Partitions = new PartitionLimits(5, TimeSpan.FromDays(2), TimeSpan.FromDays(1)) })
        );

        AssertOnce(30);
        Assert.Equal(4, S3.In().Count);
        Assert.Equal(21, S3.Sequences(Other).Count);
    }

    /// <summary>The same batch, interrupted at each upload, comes to the same objects, also when the settings have changed since.</summary>
    [Fact]
    public async Task A_plan_with_other_dates_is_finished_as_it_was_made()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        Spool.AddInverters(
            200,
            change: (_, reading) =>
            {
                reading.ObservedAtUs = Instants.ToMicroseconds(Spool.Noon.AddDays(-random.Next(0, 60) * random.Next(0, 20)));
                reading.PacW = random.Next(4) == 0 ? 1 : 3000;
            }
        );
        for (var upload = 1; Spool.Cursor < 200; upload++)
        {
            Assert.True(upload < 60);
            var puts = 0;
            using var crash = new CancellationTokenSource();
            S3.Script = call =>
                call.Method == "PUT" && !S3.Objects.ContainsKey((call.Bucket, call.Key)) && Interlocked.Increment(ref puts) == 2
                    ? new S3Fault { After = crash.CancelAsync, AbortAfter = true }
                    : null;
            var options = Options(files: random.Next(1, 5)) with
            {
                Partitions = new PartitionLimits(random.Next(1, 20), TimeSpan.FromDays(random.Next(1, 800)), TimeSpan.FromDays(1)),
            };
            try
            {
                await Spool.DeliverAsync(NewSink(options, retries: 0), cancellationToken: crash.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or ThermalStreaming.Forwarding.SinkException)
            {
                // The crash.
            }
        }
        AssertOnce(200);
    }
}
