using System.Text.Json;
using System.Text.RegularExpressions;
using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>
/// The device in Home Assistant, by the rules of its documentation: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery and
/// https://www.home-assistant.io/integrations/sensor/#device-class.
/// </summary>
public sealed partial class HomeAssistantTests : IDisposable
{
    /// <summary>Some of the units that Home Assistant accepts for a device class.</summary>
    static readonly Dictionary<string, string[]> units = new()
    {
        ["temperature"] = ["°C", "°F", "K"],
        ["humidity"] = ["%"],
        ["carbon_dioxide"] = ["ppm"],
        ["atmospheric_pressure"] = ["hPa", "mbar", "Pa", "kPa", "inHg", "mmHg", "psi", "cbar", "bar"],
        ["volatile_organic_compounds_parts"] = ["ppm", "ppb"],
        ["data_size"] = ["B", "kB", "MB", "GB", "MiB"],
        ["duration"] = ["s", "min", "h", "d"],
    };

    readonly TempDirectory data = new();

    public void Dispose() => data.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_device_appears_with_its_values_and_that_it_is_online(bool brokerRetains)
    {
        await using var broker = await MosquittoProcess.StartAsync(
            new BrokerSettings { Configuration = [$"retain_available {(brokerRetains ? "true" : "false")}"] }
        );
        using var agent = new AgentProcess(data.Path, broker.Port, ("HOME_ASSISTANT", "true"));
        await using var home = await HomeAssistantStand.StartAsync(broker.Port);

        await home.SayOnlineAsync();
        JsonElement description = default,
            state = default;
        await home.UntilAsync(h =>
            h.Messages.Any(message => message is ("telemetry/v1/pi/status", "online", _)) && TryFind(h, out description, out state)
        );

        var keys = new HashSet<string>();
        foreach (var component in description.GetProperty("components").EnumerateObject())
        {
            var entity = component.Value;
            AssertAllowed(entity);
            Assert.StartsWith("thermal_streaming_pi_", entity.GetProperty("unique_id").GetString(), StringComparison.Ordinal);
            Assert.True(keys.Add(Template().Match(entity.GetProperty("value_template").GetString()!).Groups[1].Value));
            Assert.InRange(entity.GetProperty("expire_after").GetInt64(), 30, 3600);
        }
        // No value without an entity.
        Assert.Equal(keys.Order(), state.EnumerateObject().Select(property => property.Name).Order());
        Assert.InRange(state.GetProperty("pressure").GetDouble(), 800, 1100);
        Assert.InRange(state.GetProperty("memory").GetDouble(), 0.1, 99.9);
        var device = description.GetProperty("device");
        Assert.Equal("pi", device.GetProperty("name").GetString());
        Assert.NotEqual(0, device.GetProperty("identifiers").GetArrayLength());
        Assert.NotEmpty(description.GetProperty("origin").GetProperty("name").GetString()!);
        // A retained state would be shown as new after a restart of Home Assistant.
        Assert.DoesNotContain(home.Messages, message => message.Retain && message.Topic.EndsWith("/state", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_interval_that_is_set_later_does_not_make_values_unavailable_between_two_batches()
    {
        const string token = "a-token-that-is-long-enough-for-the-service";
        await File.WriteAllTextAsync(data.File("token"), token);
        var port = Ports.Take();
        await using var broker = await MosquittoProcess.StartAsync();
        using var agent = new AgentProcess(
            data.File("data"),
            broker.Port,
            ("HOME_ASSISTANT", "true"),
            ("GRPC_PORT", $"{port}"),
            ("CONTROL_TOKEN_FILE", data.File("token"))
        );
        await using var home = await HomeAssistantStand.StartAsync(broker.Port);
        await home.UntilAsync(h => h.Descriptions.Count > 0);
        using var client = new ControlClient(
            new Uri($"http://127.0.0.1:{port}"),
            new ControlOptions { Token = token, Deadline = TimeSpan.FromSeconds(60) }
        );

        await client.Agent.SetSamplingAsync(new() { Interval = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)) });

        await home.UntilAsync(h =>
            h.Descriptions[^1]
                .GetProperty("components")
                .EnumerateObject()
                .All(component => component.Value.GetProperty("expire_after").GetInt64() >= 3 * 600)
        );
    }

    /// <summary>
    /// Finds a description of all that the simulation and the machine give, and a state after it with all of that. The first ones may have
    /// less: a simulated sensor fails now and then for some seconds, at times that depend on nothing but the clock.
    /// </summary>
    static bool TryFind(HomeAssistantStand home, out JsonElement description, out JsonElement state)
    {
        (description, state) = (default, default);
        foreach (var (topic, payload, _) in home.Messages)
        {
            if (topic == "telemetry/v1/pi/state")
                state = JsonDocument.Parse(payload).RootElement;
            else if (topic.EndsWith("/config", StringComparison.Ordinal))
                (description, state) = (JsonDocument.Parse(payload).RootElement, default);
        }
        var all = state;
        return all.ValueKind == JsonValueKind.Object
            && ((string[])["temperature", "humidity", "co2", "pressure", "memory", "disk_free", "load", "uptime"]).All(key =>
                all.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number
            );
    }

    /// <summary>What the platform of an entity allows and needs.</summary>
    static void AssertAllowed(JsonElement entity)
    {
        var deviceClass = entity.TryGetProperty("device_class", out var name) ? name.GetString()! : null;
        if (entity.GetProperty("platform").GetString() == "binary_sensor")
        {
            Assert.Equal("problem", deviceClass);
            // A binary sensor with a key of a sensor is refused as a whole.
            Assert.All(
                (string[])["unit_of_measurement", "state_class", "suggested_display_precision"],
                key => Assert.False(entity.TryGetProperty(key, out _), key)
            );
            Assert.NotEqual(entity.GetProperty("payload_on").GetString(), entity.GetProperty("payload_off").GetString());
            return;
        }
        Assert.Equal("sensor", entity.GetProperty("platform").GetString());
        Assert.Equal("measurement", entity.GetProperty("state_class").GetString());
        var unit = entity.TryGetProperty("unit_of_measurement", out var text) ? text.GetString() : null;
        if (deviceClass is not null)
            Assert.Contains(unit, units[deviceClass]);
    }

    [Fact]
    public void Load_uptime_and_a_weak_supply_are_diagnostic_entities()
    {
        var entities = JsonDocument
            .Parse(HomeAssistantMessages.Discovery("pi", HomeAssistantEntity.All, TimeSpan.FromMinutes(1)))
            .RootElement.GetProperty("components");
        foreach (var entity in entities.EnumerateObject())
            AssertAllowed(entity.Value);
        Assert.All(
            (string[])["load", "uptime", "under_voltage"],
            key => Assert.Equal("diagnostic", entities.GetProperty(key).GetProperty("entity_category").GetString())
        );
        Assert.False(entities.GetProperty("load").TryGetProperty("unit_of_measurement", out _));
        Assert.Equal("duration", entities.GetProperty("uptime").GetProperty("device_class").GetString());
        var supply = entities.GetProperty("under_voltage");

        Assert.Equal(supply.GetProperty("payload_on").GetString(), Rendered(new ThermalReading { UnderVoltage = true }));
        Assert.Equal(supply.GetProperty("payload_off").GetString(), Rendered(new ThermalReading { UnderVoltage = false }));
        // What Home Assistant's template makes of null, and takes for unknown.
        Assert.Equal("None", Rendered(new ThermalReading()));

        string Rendered(ThermalReading reading)
        {
            var key = Template().Match(supply.GetProperty("value_template").GetString()!).Groups[1].Value;
            var value = JsonDocument.Parse(HomeAssistantMessages.State(reading, HomeAssistantEntity.All)).RootElement.GetProperty(key);
            return value.ValueKind == JsonValueKind.Null ? "None" : value.GetRawText();
        }
    }

    [Fact]
    public async Task A_replay_is_shown_as_sensors_are()
    {
        await File.WriteAllTextAsync(data.File("day.ndjson"), "{\"temperature\": 21.5, \"load_1m\": 0.75}\n");
        await using var broker = await MosquittoProcess.StartAsync();
        await using var home = await HomeAssistantStand.StartAsync(broker.Port);
        using var agent = new AgentProcess(
            data.File("agent"),
            broker.Port,
            ("HOME_ASSISTANT", "true"),
            ("SOURCE", "replay"),
            ("REPLAY_FILE", data.File("day.ndjson")),
            ("REPLAY_LOOP", "true")
        );

        await home.UntilAsync(h => h.Descriptions.Count > 0 && States(h).Count > 0);

        var state = JsonDocument.Parse(States(home)[0]).RootElement;
        Assert.Equal((21.5, 0.75), (state.GetProperty("temperature").GetDouble(), state.GetProperty("load").GetDouble()));
    }

    [Fact]
    public async Task The_device_describes_itself_again_when_Home_Assistant_starts_and_after_a_crash_of_the_broker()
    {
        await using var broker = await MosquittoProcess.StartAsync(new BrokerSettings { Configuration = ["retain_available false"] });
        using var agent = new AgentProcess(data.Path, broker.Port, ("HOME_ASSISTANT", "true"));
        await using (var home = await HomeAssistantStand.StartAsync(broker.Port))
        {
            await home.SayOnlineAsync();
            await home.UntilAsync(h => h.Descriptions.Count > 0 && States(h).Count > 0);
        }

        // Home Assistant is there before the agent is: this broker keeps nothing for those who come later.
        agent.Freeze();
        broker.Kill();
        await broker.StartAgainAsync();
        await using var again = await HomeAssistantStand.StartAsync(broker.Port);
        agent.Thaw();
        await again.UntilAsync(h => h.Descriptions.Count > 0 && States(h).Count > 0);
        var before = again.Descriptions.Count;
        await again.SayOnlineAsync();
        await again.UntilAsync(h => h.Descriptions.Count > before);

        // The readings go their own way as before.
        await using var collector = await Collector.StartAsync(broker.Port);
        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Count >= 2);
    }

    [Fact]
    public async Task Nothing_is_told_to_Home_Assistant_unless_it_is_asked_for()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var home = await HomeAssistantStand.StartAsync(broker.Port);
        await using var collector = await Collector.StartAsync(broker.Port);
        using var agent = new AgentProcess(data.Path, broker.Port);
        await home.SayOnlineAsync();
        await collector.UntilAsync(c => c.Of(ReadingKind.Thermal).Count >= 5);

        Assert.All(home.Messages, message => Assert.Equal("homeassistant/status", message.Topic));
        Assert.All(collector.Statuses, status => Assert.Equal("online", status));
    }

    [Fact]
    public void A_value_that_was_not_read_is_null_and_one_that_was_is_in_the_unit_that_is_announced()
    {
        var reading = new ThermalReading
        {
            PressurePa = 101_325,
            Co2Ppm = 655,
            TemperatureC = double.NaN,
        };

        var state = JsonDocument.Parse(HomeAssistantMessages.State(reading, HomeAssistantEntity.All)).RootElement;

        Assert.Equal(1013.25, state.GetProperty("pressure").GetDouble());
        Assert.Equal(655, state.GetProperty("co2").GetDouble());
        Assert.Equal(JsonValueKind.Null, state.GetProperty("temperature").ValueKind);
        Assert.Equal(JsonValueKind.Null, state.GetProperty("humidity").ValueKind);
    }

    [Theory]
    [InlineData("pi")]
    [InlineData("Pi_4-garage")]
    [InlineData("Küche 1")]
    [InlineData("Küche.1")]
    [InlineData("garage.pi.local")]
    public void The_name_in_topics_has_only_the_characters_that_Home_Assistant_allows(string device) =>
        Assert.Matches("^[a-zA-Z0-9_-]+$", HomeAssistantTopics.ObjectId(device));

    [Fact]
    public void Devices_whose_names_differ_in_other_characters_stay_apart() =>
        Assert.Equal(
            4,
            ((string[])["a.b", "a b", "a_b", "a:b"]).Select(HomeAssistantTopics.ObjectId).Distinct(StringComparer.Ordinal).Count()
        );

    static List<string> States(HomeAssistantStand home) =>
        [.. home.Messages.Where(message => message.Topic == "telemetry/v1/pi/state").Select(message => message.Payload)];

    [GeneratedRegex(@"^\{\{ value_json\.(\w+) \}\}$")]
    private static partial Regex Template();
}
