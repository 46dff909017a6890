using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.SnowpipeForwarder;

namespace ThermalStreaming.Bench;

/// <summary>
/// Many channels open at the emulator, with the forwarder's own client, delivery and journals in this process: what they call, beside what
/// <see cref="SlotModel"/> says of as many slots.
/// </summary>
/// <param name="root">The repository.</param>
/// <param name="model">The rules.</param>
sealed class ChannelCheck(string root, SlotModel model)
{
    /// <summary>Of a slot. So seldom that one emulator answers for thousands of channels.</summary>
    const double ReadingsPerSecond = 0.02;

    /// <summary>The model is of use as long as it is not further off.</summary>
    const double Tolerance = 0.1;

    const int Seed = 20_261_130;
    static readonly TimeSpan measured = TimeSpan.FromSeconds(60),
        commitDelay = TimeSpan.FromSeconds(5),
        patience = TimeSpan.FromMinutes(3);
    static readonly TimeProvider clock = TimeProvider.System;

    /// <summary>Measures and compares.</summary>
    /// <returns>Whether the model is right and every reading is stored.</returns>
    public async Task<bool> RunAsync(int channels)
    {
        Console.Error.WriteLine($"opening {channels} channels at the emulator");
        await using var stand = new Stand(root);
        await stand.StartEmulatorAsync(string.Create(CultureInfo.InvariantCulture, $"{commitDelay.TotalSeconds}s"));
        using var meter = new Meter("bench");
        using var calls = new CountedCalls(meter);
        var options = SnowpipeOptions.Load(new Settings(new ConfigurationBuilder().AddInMemoryCollection(stand.SnowflakeSettings).Build()));
        using var client = new SnowpipeClient(
            options,
            clock,
            NullLogger<SnowpipeClient>.Instance,
            new SnowflakeMetrics(meter, new RequestMetrics(meter))
        );
        var place = Directory.CreateDirectory(Path.Combine(stand.Place, "slots")).FullName;
        var page = new StatusPage();
        using var cost = new CostBook(CostRoad.Streaming, CostPrices.Default, place, (meter, page), clock, NullLogger<CostBook>.Instance);
        using var statistics = new SnowpipeStatistics(options, meter, page, cost, clock, NullLogger<SnowpipeStatistics>.Instance);
        var shared = new RealSlot.SharedParts(
            clock,
            new QuickDisk(),
            new DeadLetters(Path.Combine(place, "dead-letters"), 1 << 20, clock, NullLogger.Instance),
            new ForwarderMetrics(meter, clock),
            new PauseSwitch(place, clock, NullLogger<PauseSwitch>.Instance),
            new Health()
        );
        var slots = new List<RealSlot>();
        try
        {
            for (var slot = 0; slot < channels; slot++)
            {
                var sink = new SnowpipeSink(client, options, statistics, clock, NullLogger<SnowpipeSink>.Instance);
                slots.Add(new RealSlot(slot, place, sink, shared));
            }
            return await CompareAsync(slots, calls, shared);
        }
        finally
        {
            foreach (var slot in slots)
                await slot.DisposeAsync();
        }
    }

    async Task<bool> CompareAsync(List<RealSlot> slots, CountedCalls calls, RealSlot.SharedParts shared)
    {
        var feed = new Feed(slots, new Random(Seed));
        // What the start brings has passed: every channel is open, and every slot is somewhere between two readings.
        await feed.RunAsync(TimeSpan.FromSeconds(30));
        var (before, started) = (calls.Now, clock.GetTimestamp());
        await feed.RunAsync(measured);
        var seconds = clock.GetElapsedTime(started).TotalSeconds;
        var made = calls.Now - before;
        await Stand.Until(() => Task.FromResult(slots.All(slot => slot.Backlog == 0)), "not everything is committed", patience);
        var slot = model.Rate(ReadingsPerSecond, rowBytes: 860, commitDelay);
        var expected = slot * (slots.Count * seconds) + new Calls(0, 0, seconds * SlotModel.TokensPerSecond);
        var isExact = shared.Metrics.CommittedTotal == feed.Stored;
        Say("", "measured", "model", "model / measured");
        Line("appends a second", made.Appends, expected.Appends);
        Line("status calls a second", made.Status, expected.Status);
        Line("calls a second", made.All, expected.All);
        Console.WriteLine(
            $"{slots.Count} channels, {calls.Failed} calls failed, {feed.Stored} readings stored and {shared.Metrics.CommittedTotal} committed"
        );
        return isExact && Math.Abs(expected.All / made.All - 1) <= Tolerance;

        void Line(string name, double real, double modelled) =>
            Say(name, Rate(real), Rate(modelled), (modelled / real).ToString("0.000", CultureInfo.InvariantCulture));

        string Rate(double count) => (count / seconds).ToString("#,0.0", CultureInfo.InvariantCulture);

        static void Say(string name, string first, string second, string third) =>
            Console.WriteLine($"| {name} | {first} | {second} | {third} |");
    }

    /// <summary>Readings at random times and slots.</summary>
    sealed class Feed(List<RealSlot> slots, Random random)
    {
        readonly List<ThermalReading> readings = [.. MessagePool.Readings(Seed).Take(100)];
        double due;

        /// <summary>Readings so far.</summary>
        public int Stored { get; private set; }

        public async Task RunAsync(TimeSpan duration)
        {
            var started = clock.GetTimestamp();
            due = 0;
            while (true)
            {
                due -= Math.Log(1 - random.NextDouble()) / (ReadingsPerSecond * slots.Count);
                if (due > duration.TotalSeconds)
                    break;
                var wait = TimeSpan.FromSeconds(due) - clock.GetElapsedTime(started);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, clock);
                var slot = random.Next(slots.Count);
                await slots[slot].StoreAsync(readings[Stored % readings.Count], $"device-{slot}", (ulong)++Stored, clock.GetUtcNow());
            }
            if (duration - clock.GetElapsedTime(started) is var rest && rest > TimeSpan.Zero)
                await Task.Delay(rest, clock);
        }
    }
}
