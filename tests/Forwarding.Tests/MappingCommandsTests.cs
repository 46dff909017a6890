using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>The verb <c>mappings</c>: what it says and its exit codes.</summary>
public sealed class MappingCommandsTests : IDisposable
{
    readonly TempDirectory directory = new();
    readonly StringWriter output = new();
    readonly StringWriter error = new();

    public void Dispose() => directory.Dispose();

    string Mapping(string text)
    {
        File.WriteAllText(directory.File("mappings.yaml"), text);
        return directory.File("mappings.yaml");
    }

    int Try(string file, string topic, string payload, bool json = false) =>
        MappingCommands.Try(file, topic, Encoding.UTF8.GetBytes(payload), json, output);

    [Fact]
    public void Try_shows_the_reading_and_why_each_field_is_as_it_is()
    {
        const string payload = """{"Time":"2026-11-20T10:13:48","BME280":{"Temperature":70.7,"Humidity":null},"TempUnit":"F"}""";

        Assert.Equal(ExitCodes.Ok, Try("tasmota", "tele/garden/SENSOR", payload));

        var said = output.ToString();
        Assert.Contains("takes it; its readings are of device garden", said, StringComparison.Ordinal);
        Assert.Contains("""{"temperature":21.5,"sensors":"BME280"}""", said, StringComparison.Ordinal);
        Assert.Contains("70.7 °F in °C", said, StringComparison.Ordinal);
        Assert.Contains("null is not a value", said, StringComparison.Ordinal);
        Assert.Contains("there is nothing at this path", said, StringComparison.Ordinal);

        output.GetStringBuilder().Clear();
        Assert.Equal(ExitCodes.Ok, Try("tasmota", "tele/garden/SENSOR", payload, json: true));
        var result = JsonNode.Parse(output.ToString())!;
        Assert.True((bool)result["reading"]!);
        Assert.Equal(21.5, (double)result["results"]![0]!["readings"]![0]!["reading"]!["temperature"]!);
        Assert.Equal("garden", (string)result["results"]![0]!["device"]!);
    }

    [Theory]
    [InlineData("statestream", "homeassistant_state/sensor/living_co2/state", "unavailable", "no reading: no field has a value")]
    [InlineData("statestream", "homeassistant_state/sensor/living_co2/state", "high", "a dead letter: statestream.yaml:")]
    [InlineData(
        "statestream",
        "homeassistant_state/sensor/sun/state",
        "1",
        "no reading: a subscription brings the topic, but no pattern takes it"
    )]
    [InlineData("statestream", "elsewhere/x", "1", "nothing: no mapping subscribes to this topic")]
    [InlineData("zigbee2mqtt", "zigbee2mqtt/bridge/state", "{}", "left out: zigbee2mqtt.yaml:")]
    [InlineData("tasmota", "tele/garden/SENSOR", "warm", "a dead letter: tasmota.yaml:")]
    [InlineData("tasmota", "tele/garden/SENSOR", """{"Time":"x"}""", "this message has no reading")]
    [InlineData("tasmota", "telemetry/v1/garden/thermal", "{}", "this is a topic of our own format; no mapping is used")]
    [InlineData("zigbee2mqtt", "zigbee2mqtt/kitchen", """{"temperature":1,"last_seen":"yesterday"}""", "a dead letter: observed_at is")]
    public void Try_says_why_there_is_no_reading(string file, string topic, string payload, string reason)
    {
        Assert.Equal(ExitCodes.Failed, Try(file, topic, payload));
        Assert.Contains(reason, output.ToString(), StringComparison.Ordinal);

        Assert.Equal(ExitCodes.Failed, Try(file, topic, payload, json: true));
    }

    [Fact]
    public void A_file_that_is_wrong_ends_with_its_problems()
    {
        var file = Mapping("mappings:\n  - name: x y\n");

        var problems = Assert.Throws<ConfigurationException>(() => MappingCommands.Check(file, json: false, output)).Problems;

        Assert.Equal(2, problems.Count);
        Assert.All(problems, problem => Assert.StartsWith("mappings.yaml:2: mappings[0].", problem, StringComparison.Ordinal));
    }

    [Fact]
    public void Check_says_what_is_subscribed_to()
    {
        var file = Mapping(
            """
            mappings:
              - name: garden
                messages:
                  - topic: garden/{device}/air
                    readings: [{ fields: { temperature: t } }]
            """
        );

        Assert.Equal(ExitCodes.Ok, MappingCommands.Check(file, json: false, output));

        Assert.Contains("subscriptions for thermal readings: garden/+/air", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("subscriptions for inverter readings: none", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_show_prints_can_be_used_as_it_is()
    {
        foreach (var name in Mappings.ReadyMade.Names)
        {
            var text = new StringWriter();
            var console = new InvocationConfiguration { Output = text, Error = error };
            Assert.Equal(ExitCodes.Ok, MappingCommands.Show(name, console));
            Assert.Equal(ExitCodes.Ok, MappingCommands.Check(Mapping(text.ToString()), json: true, output));
        }
        Assert.Equal(ExitCodes.Failed, MappingCommands.Show("hue", new InvocationConfiguration { Output = output, Error = error }));
        Assert.Contains("'hue' is not ready-made", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Ok, MappingCommands.List(json: false, output));
    }
}
