using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>The bounds of what the ledger remembers.</summary>
public sealed class StoredReadingsTests : IDisposable
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
            Assert.InRange(view.ForgottenStreams, 210_000 - 1024, 210_000);
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
            using var entry = await ledger.EnterAsync("slot-0", CancellationToken.None);
            for (ulong sequence = 1; sequence <= 8000; sequence += 2)
                ledger.Add(new ReadingIdentity($"pi-{device}", "boot", ReadingKind.Thermal, sequence), 1);
            entry.Complete();
        }

        var remembered = 0;
        for (var device = 0; device < 700; device++)
            remembered += await ContainsAsync(ledger, $"pi-{device}", "boot") ? 1 : 0;
        // 4,000 ranges of 16 bytes each: 32 MiB hold some 520 devices.
        Assert.InRange(remembered, 380, 525);
        Assert.Equal(700 - remembered, ledger.ForgottenStreams);
        Assert.True(await ContainsAsync(ledger, "pi-699", "boot"));
        Assert.False(await ContainsAsync(ledger, "pi-0", "boot"));
    }

    public void Dispose() => directory.Dispose();

    Ledger Open() => new(directory.Path, new FakeJournals(), TimeProvider.System, NullLogger.Instance, new FaultyDisk());

    static async Task AddAsync(Ledger ledger, string device, IEnumerable<string> boots)
    {
        using var entry = await ledger.EnterAsync("slot-0", CancellationToken.None);
        var claim = ledger.Claim("slot-0", "epoch", 0);
        foreach (var boot in boots)
            ledger.AddToClaim(claim, new ReadingIdentity(device, boot, ReadingKind.Thermal, 1), 1, [7]);
        entry.Complete(claim);
        ledger.Confirm("slot-0", 1);
        entry.Complete();
    }

    static async Task<bool> ContainsAsync(Ledger ledger, string device, string boot)
    {
        using var entry = await ledger.EnterAsync("slot-9", CancellationToken.None);
        return ledger.ContainsAny(new ReadingIdentity(device, boot, ReadingKind.Thermal, 1), 1);
    }
}
