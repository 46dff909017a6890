using Google.Protobuf;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class ReplayedMarkTests
{
    [Fact]
    public void Marks_a_batch_as_replayed_and_leaves_its_other_bytes_alone()
    {
        var batch = new ReadingBatch
        {
            DeviceId = "Küche",
            BootId = "b",
            Host = new Host { Hostname = "pi" },
        };
        batch.Thermal.Add(new ThermalReading { Sequence = 4, TemperatureC = 21 });
        var bytes = batch.ToByteArray();

        var plain = OutboxFeed.Message(bytes, replayed: false);
        var replayed = OutboxFeed.Message(bytes, replayed: true);

        Assert.Equal(bytes, plain);
        Assert.Equal(bytes, replayed[..bytes.Length]);
        batch.Replayed = true;
        Assert.Equal(batch, ReadingBatch.Parser.ParseFrom(replayed));
    }
}
