using System.Text;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Console.Tests;

/// <summary>What the page takes from messages.</summary>
public sealed class MessageReaderTests(ITestOutputHelper output)
{
    [Fact]
    public void JSON_is_shown_in_the_page_s_units()
    {
        var message = Read(
            """[{"temperature": 21.5, "pressure": "101325", "cputempf": 122, "co2": null, "x": {}}, {"humidity": 1e400}]"""
        )!;

        Assert.Equal(2, message.Readings);
        Assert.Equal(
            [(Metric.Temperature, 21.5), (Metric.Pressure, 1013.25), (Metric.Processor, 50)],
            message.Observations.Select(observation => (observation.Metric, Math.Round(observation.Value, 6)))
        );
    }

    [Fact]
    public void Inverters_are_shown_with_their_fault()
    {
        var message = Read("""{"id": "Inverter_7", "PAC": 3500.5, "fault_status": "Overheat"}""", ReadingKind.Inverter)!;

        Assert.Equal(new Inverter("Inverter_7", null, 3500.5, null, null, "Overheat"), Assert.Single(message.Inverters));
    }

    [Fact]
    public void What_cannot_be_read_is_counted_and_harms_nothing()
    {
        var (random, seed) = Testing.Seed.Next();
        output.WriteLine($"seed {seed}");
        for (var i = 0; i < 2000; i++)
        {
            var bytes = new byte[random.Next(60)];
            random.NextBytes(bytes);
            if (i % 2 == 0 && bytes.Length > 0)
                bytes[0] = (byte)"{[\n\"0"[random.Next(5)];
            var message = new MqttMessage { Topic = "telemetry/v1/x/thermal", Payload = bytes };
            _ = MessageReader.Read(in message, ReadingKind.Thermal);
        }
        Assert.Null(Read("{\"temperature\": "));
    }

    static Message? Read(string payload, ReadingKind kind = ReadingKind.Thermal)
    {
        var message = new MqttMessage { Topic = "telemetry/v1/x/thermal", Payload = Encoding.UTF8.GetBytes(payload) };
        return MessageReader.Read(in message, kind);
    }
}
