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

    public OutboxTests() => options = new AgentOptions { DeviceId = "pi", DataDirectory = data.Path, Journal = new JournalOptions { FreeSpaceReserveBytes = 0 } };

    public void Dispose() => data.Dispose();

    [Fact]
    public async Task The_backlog_counts_readings_and_not_the_offsets_that_a_torn_tail_skips()
    {
        var batch = new ReadingBatch { Thermal = { new ThermalReading { Sequence = 1 }, new ThermalReading { Sequence = 2 } } };
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

    Outbox Open() => new(ReadingKind.Thermal, options, new Health(), TimeProvider.System, NullLogger<Outbox>.Instance);
}
