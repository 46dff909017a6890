using Microsoft.Extensions.Configuration;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>The replay of recorded files: pace, stops and kills, loops.</summary>
public sealed class RecordingSamplingTests : RecordingTestBase
{
    [Fact]
    public async Task Plays_at_the_pace_of_the_recording_in_the_batches_of_sensors()
    {
        Record(25);
        var stand = Start();
        await stand.Sampling.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(5.2));
        Assert.Equal(10, Temperatures(stand.Stored()).Count);
        await UntilEndAsync();
        await stand.Sampling.StopAsync(default);

        var batches = stand.Stored();
        AssertOnce(batches, 25);
        Assert.Equal([10, 10, 5], batches.Select(batch => batch.Thermal.Count));
        var times = batches.SelectMany(batch => batch.Thermal).Select(reading => reading.ObservedAtUs).ToList();
        Assert.All(times.Zip(times.Skip(1), (a, b) => b - a), apart => Assert.Equal(500_000, apart));
        // Of the replay, not of May.
        Assert.Equal(Instants.ToMicroseconds(new ManualClock().GetUtcNow()), times[0]);
        Assert.All(
            batches.SelectMany(batch => batch.Thermal),
            reading => Assert.Equal(("replayed", false, false), (reading.Sensors, reading.HasHumidityPercent, reading.HasCpuPercent))
        );
        Assert.Equal("pi", batches[0].DeviceId);
    }

    [Theory]
    [InlineData(10, 1.2)]
    [InlineData(0.5, 24)]
    public async Task Plays_faster_or_slower(double speed, double seconds)
    {
        Record(25);
        var stand = Start(replay => replay with { Speed = speed });
        var start = Clock.GetTimestamp();
        await stand.Sampling.StartAsync(default);
        await UntilEndAsync();

        Assert.Equal(seconds, Clock.GetElapsedTime(start).TotalSeconds, 1);
        await stand.Sampling.StopAsync(default);
        AssertOnce(stand.Stored(), 25);
    }

    [Fact]
    public async Task Plays_as_fast_as_the_outbox_takes_it_and_may_keep_the_time_of_the_recording()
    {
        Record(1_234, apart: 3_600);
        var stand = Start(replay => replay with { Speed = 0, Time = RecordingTime.Recorded });
        var start = Clock.GetTimestamp();
        await stand.Sampling.StartAsync(default);
        await UntilEndAsync();
        await stand.Sampling.StopAsync(default);

        Assert.Equal(TimeSpan.Zero, Clock.GetElapsedTime(start));
        var batches = stand.Stored();
        AssertOnce(batches, 1_234);
        Assert.Equal([500, 500, 234], batches.Select(batch => batch.Thermal.Count));
        Assert.Equal(Instants.ToMicroseconds(Recorded.AddHours(1_234)), batches[^1].Thermal[^1].ObservedAtUs);
    }

    [Fact]
    public async Task Continues_after_stops_and_kills_anywhere_and_neither_repeats_nor_skips()
    {
        const int readings = 400;
        Record(readings, apart: 0.7);
        var (random, seed) = Seed.Next();
        var directory = Data.File("data");
        for (var run = 0; !HasEnded; run++)
        {
            Assert.True(run < 200, $"The replay does not come forward (seed {seed}).");
            var stand = Start(directory: directory);
            await stand.Sampling.StartAsync(default);
            await PassAsync(TimeSpan.FromSeconds(25 * random.NextDouble()));
            if (random.Next(2) == 0)
            {
                await stand.Sampling.StopAsync(default);
                stand.Dispose();
            }
            else
            {
                // A kill: the disk as it is now, without what a stop writes.
                var copy = Data.File($"kill-{run}");
                Copy(directory, copy, random);
                await stand.Sampling.StopAsync(default);
                stand.Dispose();
                directory = copy;
            }
        }

        AssertOnce(Start(directory: directory).Stored(), readings);
    }

    /// <summary>Sometimes with only one of the position's two files.</summary>
    static void Copy(string from, string to, Random random)
    {
        foreach (var path in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(path) == "lock")
                continue;
            var target = Path.Combine(to, Path.GetRelativePath(from, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            System.IO.File.Copy(path, target);
        }
        var position = Path.Combine(to, "replay", "position");
        if (random.Next(3) == 0)
            System.IO.File.Delete(position + ".copy");
    }

    [Fact]
    public async Task A_loop_starts_again_at_the_end_and_continues_the_numbers()
    {
        Record(7, apart: 1);
        var stand = Start(replay => replay with { IsLooping = true });
        await stand.Sampling.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(30));
        await stand.Sampling.StopAsync(default);

        var batches = stand.Stored();
        var temperatures = Temperatures(batches);
        Assert.InRange(temperatures.Count, 29, 31);
        Assert.Equal(temperatures.Select((_, i) => 21.0 + i % 7), temperatures);
        Assert.Equal(temperatures.Select((_, i) => (ulong)i + 1), batches.SelectMany(Collector.Sequences));
    }

    [Fact]
    public async Task A_position_far_behind_the_outbox_repeats_nothing()
    {
        Record(300);
        var stand = Start();
        await stand.Sampling.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(6));
        var kept = await System.IO.File.ReadAllBytesAsync(Data.File("data/replay/position"));
        await PassAsync(TimeSpan.FromSeconds(60));
        await stand.Sampling.StopAsync(default);
        Assert.True(Temperatures(stand.Stored()).Count > 100);
        stand.Dispose();
        await System.IO.File.WriteAllBytesAsync(Data.File("data/replay/position"), kept);
        await System.IO.File.WriteAllBytesAsync(Data.File("data/replay/position.copy"), kept);

        var again = Start(replay => replay with { Speed = 0 });
        await again.Sampling.StartAsync(default);
        await UntilEndAsync();
        await again.Sampling.StopAsync(default);

        AssertOnce(again.Stored(), 300);
    }
}
