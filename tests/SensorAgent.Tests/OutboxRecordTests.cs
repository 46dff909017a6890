using Google.Protobuf;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class OutboxRecordTests
{
    static readonly DateTimeOffset At = new(2026, 11, 20, 10, 0, 0, TimeSpan.Zero);

    static (byte[] Record, ReadingBatch Batch) Sample()
    {
        var batch = new ReadingBatch { DeviceId = "Küche", BootId = "b", Host = new Host { Hostname = "pi" } };
        batch.Thermal.Add(new ThermalReading { Sequence = 4, ObservedAtUs = Instants.ToMicroseconds(At), TemperatureC = 21 });
        batch.Thermal.Add(new ThermalReading { Sequence = 5, ObservedAtUs = Instants.ToMicroseconds(At) });
        var header = OutboxRecord.Header(ReadingKind.Thermal, batch.DeviceId);
        OutboxRecord.Stamp(header, At);
        return ([.. header, .. batch.ToByteArray()], batch);
    }

    [Fact]
    public void Reads_back_what_was_stored()
    {
        var (record, batch) = Sample();

        Assert.True(OutboxRecord.TryParse(record, out var kind, out var deviceId, out var appendedAt, out var bytes));

        Assert.Equal((ReadingKind.Thermal, "Küche", At), (kind, deviceId, appendedAt));
        Assert.Equal(batch.ToByteArray(), bytes.ToArray());
    }

    [Fact]
    public void Marks_a_batch_as_replayed_and_leaves_its_other_bytes_alone()
    {
        var (_, batch) = Sample();
        var bytes = batch.ToByteArray();

        var plain = OutboxRecord.Payload(bytes, replayed: false);
        var replayed = OutboxRecord.Payload(bytes, replayed: true);

        Assert.Equal(bytes, plain);
        Assert.Equal(bytes, replayed[..bytes.Length]);
        batch.Replayed = true;
        Assert.Equal(batch, ReadingBatch.Parser.ParseFrom(replayed));
    }

    [Fact]
    public void Shows_its_readings_as_rows()
    {
        var rows = OutboxRecord.Format(Sample().Record).ToList();

        Assert.Equal(2, rows.Count);
        Assert.Contains("\"temperature\":21,", rows[0], StringComparison.Ordinal);
        Assert.Contains("\"sequence\":5,", rows[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Every_truncated_header_is_refused()
    {
        var record = Sample().Record;
        for (var length = 0; length < 11 + 6; length++)
            Assert.False(OutboxRecord.TryParse(record.AsMemory(0, length), out _, out _, out _, out _));
    }
}
