using System.Globalization;
using System.Text;
using Microsoft.Extensions.Configuration;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>The values of replayed readings.</summary>
public sealed class RecordedValuesTests : RecordingTestBase
{
    [Theory]
    [InlineData(false, "scd4x:Jump")]
    [InlineData(true, "clock:Unsynchronised,scd4x:Jump,clock:Adjusting")]
    public async Task Marks_about_the_recorded_clock_are_kept_only_with_the_recorded_time(bool isRecorded, string quality)
    {
        const string odd = "\"quality\": \"clock:Unsynchronised,scd4x:Jump,clock:Adjusting\"";
        await System.IO.File.WriteAllLinesAsync(
            File,
            [$"{{\"temperature\": 21, {odd}}}", "{\"temperature\": 22, \"quality\": \"clock:Adjusting\"}"]
        );
        await PlayToEndAsync(replay => replay with { Time = isRecorded ? RecordingTime.Recorded : RecordingTime.Now });

        using var stand = Start();
        var readings = stand.Stored().SelectMany(batch => batch.Thermal).ToList();
        Assert.Equal(quality, readings[0].Quality);
        Assert.Equal(isRecorded, readings[1].HasQuality);
    }

    [Fact]
    public async Task What_the_journal_exports_is_replayed_unchanged()
    {
        var environment = new SimulatedEnvironment(3, TimeSpan.FromMinutes(10));
        var batch = new ReadingBatch { DeviceId = "other", BootId = "b" };
        for (var i = 0; i < 20; i++)
        {
            var reading = new ThermalReading { Sequence = (ulong)i + 1, ObservedAtUs = Instants.ToMicroseconds(Recorded.AddSeconds(i)) };
            environment.AddTo(reading, Recorded.AddSeconds(i));
            (reading.CpuPercent, reading.MemoryPercent, reading.DiskFreeMb, reading.CpuTemperatureC) = (12.5, 40, 23_456, 50);
            (reading.UnderVoltage, reading.Throttled) = (i % 2 == 0, 0x50005u + (uint)i);
            (reading.LoadAverage, reading.UptimeS, reading.GasResistanceOhm) = (0.25 * i, 86_400 + (ulong)i, 12_345);
            reading.Quality = "scd4x:Jump,clock:Adjusting";
            if (i == 0)
                AssertAllAreSet(reading, except: ["duration_us", "id"]);
            batch.Thermal.Add(reading);
        }
        var header = StoredPayload.Header(isJson: false, ReadingKind.Thermal, "other", Recorded);
        byte[] record = [.. header, .. Google.Protobuf.MessageExtensions.ToByteArray(batch)];
        await System.IO.File.WriteAllLinesAsync(File, StoredPayload.Format(record));
        var stand = Start(replay => replay with { Time = RecordingTime.Recorded, Speed = 0 });
        await stand.Sampling.StartAsync(default);
        await UntilEndAsync();
        await stand.Sampling.StopAsync(default);

        var replayed = Assert.Single(stand.Stored()).Thermal;
        Assert.Equal(20, replayed.Count);
        for (var i = 0; i < replayed.Count; i++)
        {
            var (was, now) = (batch.Thermal[i], replayed[i]);
            Assert.Equal("replayed-" + was.Sensors.Replace(",", ",replayed-", StringComparison.Ordinal), now.Sensors);
            (now.Sensors, now.Id) = (was.Sensors, was.Id);
            Assert.Equal(was, now);
        }
    }

    /// <summary>A field that is added to the message must be added to the test.</summary>
    static void AssertAllAreSet(Google.Protobuf.IMessage message, string[] except) =>
        Assert.All(
            message.Descriptor.Fields.InDeclarationOrder().Where(field => !except.Contains(field.Name)),
            field =>
                Assert.True(
                    field.HasPresence ? field.Accessor.HasValue(message) : !Equals(field.Accessor.GetValue(message), 0L),
                    $"{field.Name} is not set."
                )
        );

    [Fact]
    public async Task Inverters_are_replayed_in_their_rounds_with_their_faults()
    {
        var text = new StringBuilder();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 1; i <= 4; i++)
                text.AppendLine(
                    CultureInfo.InvariantCulture,
                    $$"""{"id": "Inverter_{{i}}", "PAC": {{1000 + i}}, "temperature": null, "fault_status": "Overheat", "quality": "x:Stuck", "observed_at": "{{Recorded.AddSeconds(20 * round):O}}"}"""
                );
        }
        await System.IO.File.WriteAllTextAsync(File, text.ToString());
        var stand = Start(kind: ReadingKind.Inverter);
        await stand.Sampling.StartAsync(default);
        await UntilEndAsync();
        await stand.Sampling.StopAsync(default);

        var batches = stand.Stored(ReadingKind.Inverter);
        Assert.Equal([4, 4, 4], batches.Select(batch => batch.Inverters.Count));
        Assert.All(
            batches.SelectMany(batch => batch.Inverters),
            one =>
                Assert.Equal(
                    (FaultStatus.Overheat, false, true, "x:Stuck"),
                    (one.FaultStatus, one.HasTemperatureC, one.HasPacW, one.Quality)
                )
        );
        Assert.Equal(20_000_000, batches[1].Inverters[0].ObservedAtUs - batches[0].Inverters[0].ObservedAtUs);
    }
}
