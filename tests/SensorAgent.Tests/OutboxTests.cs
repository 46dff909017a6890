using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class OutboxTests : IDisposable
{
    readonly TempDirectory data = new();
    readonly AgentOptions options;
    readonly Health health = new();
    readonly Meter meter = new("test");
    readonly ReadingClock readingClock;

    public OutboxTests()
    {
        options = new AgentOptions
        {
            DeviceId = "pi",
            DataDirectory = data.Path,
            ClockPatience = TimeSpan.Zero,
            Journal = new JournalOptions { FreeSpaceReserveBytes = 0 },
        };
        readingClock = new ReadingClock(
            options,
            new Kernel(),
            new AgentMetrics(meter, new StatusPage(), new RequestMetrics(meter)),
            new Health(),
            TimeProvider.System,
            NullLogger<ReadingClock>.Instance
        );
    }

    public void Dispose()
    {
        meter.Dispose();
        data.Dispose();
    }

    [Fact]
    public async Task The_backlog_counts_readings_and_not_the_offsets_that_a_torn_tail_skips()
    {
        var batch = new ReadingBatch
        {
            Thermal =
            {
                new ThermalReading { Sequence = 1 },
                new ThermalReading { Sequence = 2 },
            },
        };
        using (var before = Open())
        {
            await before.StoreAsync(batch, 2, CancellationToken.None);
            before.Journal.Commit(2);
        }
        File.AppendAllText(Directory.GetFiles(options.OutboxDirectory(ReadingKind.Thermal), "*.segment").Single(), "torn");

        using var outbox = Open();

        Assert.Equal((0, TimeSpan.Zero), (outbox.Backlog, outbox.OldestAge));
        await outbox.StoreAsync(batch, 2, CancellationToken.None);
        Assert.Equal(2, outbox.Backlog);
        outbox.Acknowledge(outbox.Journal.NextOffset);
        Assert.Equal(0, outbox.Backlog);
    }

    [MountFact]
    public async Task An_outbox_on_a_full_disk_gives_back_what_it_holds_and_a_new_one_waits_for_space()
    {
        using var disk = new SmallFileSystem(data.File("small"), megabytes: 2);
        var small = new AgentOptions
        {
            DeviceId = "pi",
            DataDirectory = disk.Path,
            Journal = new JournalOptions { FreeSpaceReserveBytes = 0 },
        };
        var batch = new ReadingBatch { Thermal = { new ThermalReading { Sequence = 1 } } };
        using (var outbox = Open(small, ReadingKind.Thermal))
            await outbox.StoreAsync(batch, 1, CancellationToken.None);
        var ballast = disk.Fill();

        using (var outbox = Open(small, ReadingKind.Thermal))
        {
            Assert.True(outbox.IsOpen);
            using var reader = outbox.Journal.OpenReader(0);
            Assert.True(reader.TryRead(out _));
        }
        using var other = Open(small, ReadingKind.Inverter);
        Assert.False(other.IsOpen || health.IsReady);
        Assert.Equal(0, other.Backlog);
        var opening = other.OpenAsync(CancellationToken.None);
        Assert.False(opening.IsCompleted);
        File.Delete(ballast);
        await opening.WaitAsync(TimeSpan.FromSeconds(30));

        Assert.True(other.IsOpen && health.IsReady);
    }

    [MountFact]
    public async Task On_a_small_file_system_the_reserve_is_a_tenth_of_it_as_check_says()
    {
        using var disk = new SmallFileSystem(data.File("tiny"), megabytes: 8);
        var small = new AgentOptions
        {
            DeviceId = "pi",
            DataDirectory = disk.Path,
            Journal = new JournalOptions { SegmentBytes = 64 * 1024 },
        };
        var batch = new ReadingBatch { Thermal = { new ThermalReading { Sequence = 1 } } };
        using var outbox = Open(small, ReadingKind.Thermal);
        await outbox.StoreAsync(batch, 1, CancellationToken.None);
        // Its journal is in use, so that only free space counts.
        Assert.Equal(1, outbox.Backlog);

        Assert.True(outbox.WaitForRoomAsync(CancellationToken.None).IsCompletedSuccessfully);

        var ballast = disk.Fill();
        using (var file = File.OpenWrite(ballast))
            file.SetLength(file.Length - 512 * 1024);
        var room = outbox.WaitForRoomAsync(CancellationToken.None);
        Assert.False(room.IsCompleted);
        Assert.Contains(
            "stay in reserve; free some space there, or lower JOURNAL_FREE_RESERVE",
            health.Parts.Single(part => part.Key == "outbox thermal").Value,
            StringComparison.Ordinal
        );
        File.Delete(ballast);
        await room.WaitAsync(TimeSpan.FromSeconds(30));
    }

    Outbox Open(AgentOptions of, ReadingKind kind) => new(kind, of, readingClock, health, TimeProvider.System, NullLogger<Outbox>.Instance);

    Outbox Open() => new(ReadingKind.Thermal, options, readingClock, new Health(), TimeProvider.System, NullLogger<Outbox>.Instance);
}
