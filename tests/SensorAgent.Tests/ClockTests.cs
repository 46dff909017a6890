using System.Text.Json;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>A real agent on a machine whose clock nobody synchronises, such as this one may be.</summary>
public sealed class ClockTests : IDisposable
{
    const string Flag = "clock:Unsynchronised";

    readonly TempDirectory data = new();

    public void Dispose() => data.Dispose();

    static string Clock(JsonElement status) => status.GetProperty("clock").GetString()!;

    static string[] Qualities(ReadingBatch batch) =>
        [
            .. batch
                .Thermal.Select(reading => reading.Quality)
                .Concat(batch.Inverters.Select(reading => reading.Quality))
                .Select(own => own + batch.Quality),
        ];

    [Fact]
    public async Task Readings_that_wait_for_the_clock_survive_a_kill_and_come_once_and_in_order()
    {
        var kernel = new Kernel();
        Assert.SkipWhen(kernel.IsClockSynchronised() != false, "This machine's clock is synchronised: nothing waits here.");
        Assert.SkipWhen(kernel.SinceBoot() > TimeSpan.FromDays(29), "This machine has been up for longer than patience can be.");
        await using var broker = await MosquittoProcess.StartAsync();
        await using var collector = await Collector.StartAsync(broker.Port);
        long taken;
        using (var waiting = new AgentProcess(data.Path, broker.Port, ("CLOCK_PATIENCE", "30d")))
        {
            var status = await waiting.StatusAsync(status =>
                status.GetProperty("readings_taken").GetInt64() >= 60 && status.GetProperty("mqtt").GetString() == "connected"
            );
            taken = status.GetProperty("readings_taken").GetInt64();
            Assert.Equal("Waiting", Clock(status));
            Assert.False(status.GetProperty("ready").GetBoolean());
            Assert.Contains("CLOCK_PATIENCE", status.GetProperty("parts").GetProperty("clock").GetString(), StringComparison.Ordinal);
            Assert.Contains("thermal_agent_clock_synchronised 0", await waiting.MetricsAsync(), StringComparison.Ordinal);
            waiting.Kill();
        }
        Assert.Empty(collector.Batches);

        using var agent = new AgentProcess(data.Path, broker.Port);
        var after = await agent.StatusAsync(status => status.GetProperty("ready").GetBoolean());
        Assert.Equal("Unsynchronised", Clock(after));
        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Select(batch => batch.BootId).Distinct().Count() == 2);
        await collector.UntilAsync(c => c.Of(ReadingKind.Inverter).Select(batch => batch.BootId).Distinct().Count() == 2);

        var first = collector.Of(ReadingKind.Thermal)[0].BootId;
        var held = 0;
        foreach (var kind in Enum.GetValues<ReadingKind>())
        {
            var sequences = collector.Sequences(kind, first);
            held += sequences.Count;
            Assert.Equal(Enumerable.Range(1, sequences.Count).Select(number => (ulong)number), sequences);
            Assert.All(collector.Of(kind), batch => Assert.Null(batch.Clock));
            Assert.All(collector.Of(kind).SelectMany(Qualities), quality => Assert.Equal(Flag, quality));
            var times = collector
                .Of(kind)
                .SelectMany(batch =>
                    batch.Thermal.Select(reading => reading.ObservedAtUs).Concat(batch.Inverters.Select(reading => reading.ObservedAtUs))
                )
                .ToList();
            Assert.Equal(times.Order(), times);
        }
        // At most a batch of each kind was in hand.
        Assert.InRange(held, taken - 8, taken + 8 + 100);
        Assert.Contains("The machine's clock is not synchronised: readings carry its time as it is", agent.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readings_that_wait_do_not_hold_up_a_stop()
    {
        var kernel = new Kernel();
        Assert.SkipWhen(kernel.IsClockSynchronised() != false, "This machine's clock is synchronised: nothing waits here.");
        Assert.SkipWhen(kernel.SinceBoot() > TimeSpan.FromDays(29), "This machine has been up for longer than patience can be.");
        await using var broker = await MosquittoProcess.StartAsync();
        using var agent = new AgentProcess(data.Path, broker.Port, ("CLOCK_PATIENCE", "30d"));
        await agent.StatusAsync(status =>
            status.GetProperty("readings_taken").GetInt64() >= 20 && status.GetProperty("mqtt").GetString() == "connected"
        );
        var began = TimeProvider.System.GetTimestamp();

        Assert.Equal(0, await agent.StopAsync());

        // The publisher spends up to 12 s on what it can publish.
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(9));
    }

    [Theory]
    [InlineData("Synchronised", CheckOutcome.Ok, "")]
    [InlineData("Waiting", CheckOutcome.Warning, "timedatectl")]
    [InlineData("Unsynchronised", CheckOutcome.Warning, "rtcsync")]
    [InlineData("Unknown", CheckOutcome.Warning, "timedatectl")]
    public void Check_tells_the_state_and_the_cure(string state, CheckOutcome outcome, string fix)
    {
        var result = ClockCheck.Judge(Enum.Parse<ClockSynchronisation>(state));

        Assert.Equal(outcome, result.Outcome);
        Assert.Contains(fix, result.Fix, StringComparison.Ordinal);
    }
}
