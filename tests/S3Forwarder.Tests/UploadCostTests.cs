using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>What uploads cost.</summary>
public sealed class UploadCostTests : SinkTest
{
    [Fact]
    public async Task What_uploads_cost_is_counted_and_the_quarantine_is_neither_told_nor_loaded()
    {
        Spool.AddInverters(8);
        Spool.AddInverters(2, change: (_, reading) => reading.FrequencyHz = 60);

        await Spool.DeliverAsync(NewSink(Options(files: 2)));

        var counted = Spool.Cost.Report().Counted;
        var loaded = S3.In().Where(entry => entry.Key.StartsWith("inverter-data/", StringComparison.Ordinal)).ToList();
        Assert.Equal(
            new CostFigures(
                10,
                S3.Calls.Count(call => call.Method == "PUT"),
                S3.In().Count,
                loaded.Count,
                S3.In().Sum(entry => (long)entry.Value.Bytes.Length),
                loaded.Sum(entry => (long)entry.Value.Bytes.Length)
            ),
            counted
        );
        Assert.InRange(S3.In().Count - loaded.Count, 1, 2);
    }
}
