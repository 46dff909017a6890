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

    [Theory]
    [Trait("Category", "Security")]
    [InlineData("""{"id": "\ud800", "PAC": 1}""")]
    [InlineData("""{"id": "a", "PAC": "\udc00"}""")]
    [InlineData("""{"id": "a", "fault_status": "\ud800"}""")]
    public void Half_of_a_character_is_what_cannot_be_read(string payload) => Assert.Null(Read(payload, ReadingKind.Inverter));

    [Theory]
    [Trait("Category", "Security")]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1e300)]
    public void A_value_that_no_chart_can_show_is_left_out(double value)
    {
        var batch = new ReadingBatch
        {
            Thermal = { new ThermalReading { TemperatureC = value } },
            Inverters =
            {
                new InverterReading
                {
                    InverterId = "a",
                    PacW = value,
                    EnergyOutputKwh = value,
                    TemperatureC = value,
                },
            },
        };
        var sent = new MqttMessage
        {
            Topic = "telemetry/v1/x/thermal",
            Payload = Google.Protobuf.MessageExtensions.ToByteArray(batch),
            ContentType = Payload.ProtobufContentType,
        };

        var message = MessageReader.Read(in sent, ReadingKind.Inverter)!;

        Assert.Empty(message.Observations);
        Assert.Equal(new Inverter("a", null, null, null, null, ""), Assert.Single(message.Inverters));
    }

    [Fact]
    [Trait("Category", "Security")]
    public void Long_names_are_not_kept()
    {
        var name = new string('x', 100_000);

        var inverter = Assert.Single(
            Read($$"""{"id": "{{name}}", "PAC": 1, "fault_status": "{{name}}"}""", ReadingKind.Inverter)!.Inverters
        );

        Assert.Equal((101, 101), (inverter.Id.Length, inverter.Fault.Length));
    }

    [Fact]
    [Trait("Category", "Security")]
    public void Powers_whose_sum_no_number_holds_do_not_end_the_console()
    {
        var message = Read("""[{"id": "a", "PAC": 1e308}, {"id": "b", "PAC": 1e308}]""", ReadingKind.Inverter)!;
        var device = new Device("x");

        device.Hear(message, TimeProvider.System.GetUtcNow());

        Assert.All(device.Latest, value => Assert.True(value is null || double.IsFinite(value.Value)));
    }

    static Message? Read(string payload, ReadingKind kind = ReadingKind.Thermal)
    {
        var message = new MqttMessage { Topic = "telemetry/v1/x/thermal", Payload = Encoding.UTF8.GetBytes(payload) };
        return MessageReader.Read(in message, kind);
    }
}
