using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>The bounds of what the ledger remembers.</summary>
// Memory is measured on the whole process.
[Collection(nameof(Alone))]
public sealed class StoredReadingsTests(ITestOutputHelper output) : IDisposable
{
    readonly TempDirectory directory = new();

    [Fact]
    public async Task A_flood_of_boot_ids_costs_its_own_device_only_and_bounded_memory()
    {
        using var ledger = Open();
        using var other = Open();
        await AddAsync(ledger, "honest", ["boot"]);
        await AddAsync(other, "honest-too", ["boot"]);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var message = 0; message < 6; message++)
            await AddAsync(ledger, "flood", Enumerable.Range(0, 35_000).Select(number => $"boot-{message}-{number}-{new string('x', 40)}"));

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, 0, 16 << 20);
        Assert.InRange(new FileInfo(directory.File("ledger")).Length, 1, 48 << 20);
        foreach (var view in new[] { ledger, other, Open() })
        {
            Assert.True(await ContainsAsync(view, "honest", "boot"));
            Assert.True(await ContainsAsync(view, "honest-too", "boot"));
            Assert.True(await ContainsAsync(view, "flood", $"boot-5-34999-{new string('x', 40)}"));
            Assert.False(await ContainsAsync(view, "flood", $"boot-0-0-{new string('x', 40)}"));
            Assert.InRange(view.Figures.Forgotten, 210_000 - 1024, 210_000);
            if (view != ledger && view != other)
                view.Dispose();
        }
    }

    [Fact]
    public async Task A_flood_of_devices_and_ranges_is_bounded_in_all()
    {
        using var ledger = Open();
        for (var device = 0; device < 700; device++)
        {
            using var entry = await ledger.LockAsync("slot-0", CancellationToken.None);
            for (ulong sequence = 1; sequence <= 8000; sequence += 2)
                ledger.Add(new ReadingIdentity($"pi-{device}", "boot", ReadingKind.Thermal, sequence), 1);
            entry.Complete();
        }

        var remembered = 0;
        for (var device = 0; device < 700; device++)
            remembered += await ContainsAsync(ledger, $"pi-{device}", "boot") ? 1 : 0;
        // 4,000 ranges of 16 bytes each: 32 MiB hold some 520 devices.
        Assert.InRange(remembered, 380, 525);
        Assert.Equal(700 - remembered, ledger.Figures.Forgotten);
        Assert.True(await ContainsAsync(ledger, "pi-699", "boot"));
        Assert.False(await ContainsAsync(ledger, "pi-0", "boot"));
    }

    [Fact]
    public void Totals_are_the_sums_of_the_streams_whatever_is_stored_and_forgotten()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var readings = new StoredReadings { MaxBytes = 60_000, MaxStreamsPerDevice = 8 };
        for (var step = 0; step < 3_000; step++)
        {
            var key = new StreamKey($"pi-{random.Next(40)}", $"boot-{random.Next(12)}", ReadingKind.Thermal);
            var stream = readings.ByLastUse.Find(known => known.Key == key) ?? readings.Define(key, readings.NextNumber);
            var first = (ulong)random.Next(200);
            readings.Include(stream, first, first + (ulong)random.Next(3));
            readings.Keep(stream, first, [(uint)random.Next(1, 100)]);
            if (random.Next(20) == 0)
                readings.Trim();

            Assert.Equal(readings.ByLastUse.Sum(known => (long)known.Stored.Count), readings.RangeCount);
            Assert.Equal(readings.ByLastUse.Sum(known => (long)(known.Fingerprints?.Bytes ?? 0)), readings.FingerprintBytes);
            Assert.Equal(readings.ByLastUse.Sum(known => known.Size.Bytes), readings.Bytes);
        }
        Assert.True(readings.Forgotten > 50, $"only {readings.Forgotten} were forgotten");
    }

    [Fact]
    public void The_estimate_of_the_memory_is_no_less_than_what_is_taken()
    {
        const int devices = 20_000;
        var fingerprints = Enumerable.Range(1, 200).Select(number => (uint)number).ToArray();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var readings = new StoredReadings { MaxBytes = 1 << 30 };
        for (var device = 0; device < devices; device++)
        {
            var key = new StreamKey($"device-{device:000000}", $"{device:x32}", ReadingKind.Thermal);
            var stream = readings.Define(key, readings.NextNumber);
            readings.Include(stream, 1, (ulong)fingerprints.Length);
            readings.Keep(stream, 1, fingerprints);
        }

        var taken = GC.GetTotalMemory(forceFullCollection: true) - before;

        output.WriteLine($"{taken / devices} bytes of memory for each device, {readings.Bytes / devices} by the estimate");
        // 28,000 devices in the usual bound of 32 MiB (docs/scaling.md).
        Assert.InRange(readings.Bytes / devices, 1_000, 1_190);
        Assert.InRange((double)taken / readings.Bytes, 0.7, 1.05);
        GC.KeepAlive(readings);
    }

    [Fact]
    public async Task A_larger_bound_keeps_what_the_usual_one_forgets()
    {
        const int devices = 80_000;
        var (usual, larger) = (await FillAsync(StoredReadings.UsualMaxBytes), await FillAsync(4 * StoredReadings.UsualMaxBytes));

        Assert.True(usual.Forgotten > 0);
        Assert.InRange(usual.Fill, 0.7, 1);
        Assert.Equal((0, devices), (larger.Forgotten, larger.Streams));
        Assert.InRange(larger.Fill, 0.2, 0.5);

        async Task<LedgerFigures> FillAsync(long maxBytes)
        {
            using var place = new TempDirectory();
            using var ledger = new Ledger(
                place.Path,
                new FakeJournals(),
                TimeProvider.System,
                NullLogger.Instance,
                new FaultyDisk(),
                maxBytes
            );
            await AddAsync(ledger, devices);
            return ledger.Figures;
        }

        static async Task AddAsync(Ledger ledger, int devices)
        {
            for (var device = 0; device < devices; device += 1000)
            {
                using var entry = await ledger.LockAsync("slot-0", CancellationToken.None);
                for (var next = device; next < device + 1000; next++)
                    ledger.Add(new ReadingIdentity($"pi-{next}", "0123456789abcdef0123456789abcdef", ReadingKind.Thermal, 1), 1);
                entry.Complete();
            }
        }
    }

    public void Dispose() => directory.Dispose();

    Ledger Open() => new(directory.Path, new FakeJournals(), TimeProvider.System, NullLogger.Instance, new FaultyDisk());

    static async Task AddAsync(Ledger ledger, string device, IEnumerable<string> boots)
    {
        using var entry = await ledger.LockAsync("slot-0", CancellationToken.None);
        var claim = ledger.Claim("slot-0", "epoch", 0);
        foreach (var boot in boots)
            ledger.AddToClaim(claim, new ReadingIdentity(device, boot, ReadingKind.Thermal, 1), 1, [7]);
        entry.Complete(claim);
        ledger.Confirm("slot-0", 1);
        entry.Complete();
    }

    static async Task<bool> ContainsAsync(Ledger ledger, string device, string boot)
    {
        using var entry = await ledger.LockAsync("slot-9", CancellationToken.None);
        return ledger.ContainsAny(new ReadingIdentity(device, boot, ReadingKind.Thermal, 1), 1);
    }
}
