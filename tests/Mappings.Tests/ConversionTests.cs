using System.Globalization;
using System.Text;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mappings.Tests;

/// <summary>Units, times, values that are none, values that are wrong, and devices' names.</summary>
public sealed class ConversionTests
{
    [Theory]
    [InlineData("°F", "°C", "32", "0")]
    [InlineData("°F", "°C", "-40", "-40")]
    [InlineData("°F", "°C", "70", "21.111111")]
    [InlineData("K", "°C", "294.65", "21.5")]
    [InlineData("°C", "°F", "100", "212")]
    [InlineData("hPa", "Pa", "1013.25", "101325")]
    [InlineData("mbar", "Pa", "1013.25", "101325")]
    [InlineData("kPa", "Pa", "101.325", "101325")]
    [InlineData("bar", "Pa", "1.01325", "101325")]
    [InlineData("inHg", "Pa", "1", "3386.389")]
    [InlineData("mmHg", "Pa", "1", "133.322387")]
    [InlineData("mmHg", "Pa", "760", "101325.014435")]
    [InlineData("kΩ", "Ω", "12.5", "12500")]
    [InlineData("ratio", "%", "0.425", "42.5")]
    [InlineData("%", "ratio", "93.5", "0.935")]
    [InlineData("ppb", "ppm", "655000", "655")]
    [InlineData("ppm", "ppb", "0.12", "120")]
    [InlineData("Wh", "kWh", "1234.5", "1.2345")]
    [InlineData("MWh", "kWh", "1.5", "1500")]
    [InlineData("kW", "W", "2.21", "2210")]
    [InlineData("mV", "V", "230500", "230.5")]
    public void Units_are_converted_exactly(string from, string to, string value, string expected)
    {
        var result = Unit.Find(from)!.To(Unit.Find(to)!, decimal.Parse(value, CultureInfo.InvariantCulture));

        Assert.Equal(expected, Unit.Format(result));
    }

    [Fact]
    public void Every_unit_is_in_the_documentation()
    {
        var page = File.ReadAllText(Path.Combine(Root(), "docs", "devices.md"));

        Assert.All(Unit.All, unit => Assert.Contains($"`{unit.Name}`", page, StringComparison.Ordinal));
        Assert.All(ReadyMade.Names, name => Assert.Contains($"`{name}`", page, StringComparison.Ordinal));
    }

    static string Root()
    {
        var found = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(found!.FullName, "ThermalStreaming.slnx")))
            found = found.Parent;
        return found.FullName;
    }

    static MappingSet Garden(string fields = "temperature: t", string more = "") =>
        Mapped.File(
            $$"""
            mappings:
              - name: garden
                messages:
                  - topic: garden/{device}/air
                    {{more}}
                    readings:
                      - fields: { {{fields}} }
            """
        );

    [Theory]
    [InlineData("""{"t":"21.5"}""", """{"temperature":21.5}""")]
    [InlineData("""{"t":" 21.50 "}""", """{"temperature":21.5}""")]
    [InlineData("""{"t":2.15e1}""", """{"temperature":2.15e1}""")]
    [InlineData("\uFEFF{\"t\":1}", """{"temperature":1}""")]
    [InlineData("""{"t":1,"t":2}""", """{"temperature":2}""")]
    public void Values(string payload, string reading) =>
        Assert.Equal([reading], Mapped.Take(Garden(), "garden/shed/air", payload).Readings);

    [Theory]
    [InlineData("""{"t":null}""")]
    [InlineData("""{"t":"unavailable"}""")]
    [InlineData("""{"t":"UNKNOWN"}""")]
    [InlineData("""{"t":""}""")]
    [InlineData("""{"other":1}""")]
    [InlineData("""[1,2]""")]
    public void Values_that_are_none(string payload) => Assert.Empty(Mapped.Take(Garden(), "garden/shed/air", payload).Readings);

    [Theory]
    [InlineData("""{"t":"warm"}""", "test.yaml:7: fields.temperature: t is the text \"warm\", which is not a number")]
    [InlineData("""{"t":true}""", "test.yaml:7: fields.temperature: t is true, which is not a number")]
    [InlineData("""{"t":{"v":1}}""", "test.yaml:7: fields.temperature: t is an object, which is not a number")]
    [InlineData("""{"t":[1]}""", "test.yaml:7: fields.temperature: t is a list, which is not a number")]
    public void Values_that_are_wrong(string payload, string problem) =>
        Assert.Equal(problem, Assert.Single(Mapped.All(Garden(), "garden/shed/air", payload)).Problem);

    /// <summary>Never a number that the sender did not send, such as the largest that fits.</summary>
    [Theory]
    [InlineData("temperature: t", "\"1e40\"")]
    [InlineData("temperature: t", "\"-1e40\"")]
    [InlineData("temperature: { path: t, unit: K }", "1e40")]
    [InlineData("totalvocppb: { path: t, unit: ppm }", "1e40")]
    [InlineData("co2: { path: t, unit: ppb }", "1e40")]
    [InlineData("co2: { path: t, unit: ppb }", "\"1e40\"")]
    public void A_number_that_is_too_large_is_refused_with_what_was_sent(string field, string value)
    {
        var reading = Assert.Single(Mapped.All(Garden(field), "garden/shed/air", $$"""{"t":{{value}}}"""));

        Assert.EndsWith("which is too large; a number up to 10^28 can be converted", reading.Problem, StringComparison.Ordinal);
        Assert.Contains("1e40", Encoding.UTF8.GetString(reading.Json.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void A_large_number_that_needs_no_conversion_is_left_to_its_column() =>
        Assert.Equal(["""{"temperature":1e40}"""], Mapped.Take(Garden(), "garden/shed/air", """{"t":1e40}""").Readings);

    [Fact]
    public void A_unit_that_the_payload_names_and_that_is_none()
    {
        var set = Garden("temperature: { path: t, unit_path: u }");

        Assert.Equal(["""{"temperature":0}"""], Mapped.Take(set, "garden/shed/air", """{"t":32,"u":"F"}""").Readings);
        Assert.Equal(["""{"temperature":32}"""], Mapped.Take(set, "garden/shed/air", """{"t":32}""").Readings);
        Assert.Equal(
            "test.yaml:7: fields.temperature: the unit at u is the text \"hPa\", and must be one of °C, °F, K",
            Assert.Single(Mapped.All(set, "garden/shed/air", """{"t":32,"u":"hPa"}""")).Problem
        );
    }

    [Theory]
    [InlineData("not json", "test.yaml:4: JSON is expected: it is plain text, \"not json\"; ")]
    [InlineData("""{"t":NaN}""", "test.yaml:4: JSON is expected: not JSON: 'N' is an invalid start of a value")]
    [InlineData("5", "test.yaml:4: a JSON object is expected, and the payload is 5")]
    [InlineData("""{"t":"\ud800"}""", "test.yaml:4: the payload holds a text that is not Unicode")]
    public void Payloads_that_are_not_JSON(string payload, string reason)
    {
        var error = Assert.Throws<PayloadException>(() => Mapped.All(Garden(), "garden/shed/air", payload));

        Assert.StartsWith(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UTC", """{"at":"2026-07-01T12:00:00","t":1}""", """{"observed_at":"2026-07-01T12:00:00","temperature":1}""")]
    [InlineData("arrival", """{"at":"2026-07-01T12:00:00","t":1}""", """{"temperature":1}""")]
    [InlineData("arrival", """{"at":"2026-07-01T12:00:00Z","t":1}""", """{"observed_at":"2026-07-01T12:00:00Z","temperature":1}""")]
    [InlineData(
        "arrival",
        """{"at":"2026-07-01T12:00:00-05:00","t":1}""",
        """{"observed_at":"2026-07-01T12:00:00-05:00","temperature":1}"""
    )]
    [InlineData("arrival", """{"at":1795169628,"t":1}""", """{"observed_at":1795169628,"temperature":1}""")]
    [InlineData("Europe/Berlin", """{"at":"2026-07-01T12:00:00","t":1}""", """{"observed_at":"2026-07-01T10:00:00Z","temperature":1}""")]
    [InlineData(
        "Europe/Berlin",
        """{"at":"2026-01-01T12:00:00.5","t":1}""",
        """{"observed_at":"2026-01-01T11:00:00.5Z","temperature":1}"""
    )]
    [InlineData("Europe/Berlin", """{"at":null,"t":1}""", """{"temperature":1}""")]
    [InlineData("Europe/Berlin", """{"t":1}""", """{"temperature":1}""")]
    public void Times(string zone, string payload, string reading) =>
        Assert.Equal([reading], Mapped.Take(Garden(more: $"time: {{ path: at, zone: {zone} }}"), "garden/shed/air", payload).Readings);

    [Theory]
    [InlineData("kitchen/air", "hub:kitchen:air")]
    [InlineData("a:b/c", "hub:a%3Ab:c")]
    [InlineData("a/b:c", "hub:a:b%3Ac")]
    [InlineData("50%/$x", "hub:50%25:$x")]
    public void Names_behind_a_gateway_are_never_the_same(string name, string device)
    {
        var set = Mapped.File(
            """
            mappings:
              - name: hub
                gateway: true
                messages:
                  - topic: hub/{a}/{b}
                    readings:
                      - fields: { temperature: t }
            """
        );

        Assert.Equal(device, set.Route($"hub/{name}", ReadingKind.Thermal).DeviceId);
    }

    [Fact]
    public void A_device_that_cannot_be_one_is_refused()
    {
        var route = Garden().Route($"garden/{new string('x', 101)}/air", ReadingKind.Thermal);

        Assert.Equal(TopicOutcome.Refused, route.Outcome);
        Assert.Contains("is not a valid device id: 1 to 100 characters", route.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_topic_belongs_to_the_first_filter_that_names_more()
    {
        var set = Mapped.ReadyMade("esphome", "statestream");

        // ESPHome's pattern takes it too, but homeassistant_state is no device.
        Assert.Equal(TopicOutcome.Unmapped, set.Route("homeassistant_state/sensor/temperature/state", ReadingKind.Thermal).Outcome);
        Assert.Equal("node", set.Route("node/sensor/temperature/state", ReadingKind.Thermal).DeviceId);
    }

    /// <summary>Neither a topic nor a payload ends in anything but readings or a <see cref="PayloadException"/>.</summary>
    [Fact]
    public void Fuzz()
    {
        var (random, seed) = Seed.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"THERMAL_TEST_SEED={seed}");
        var set = Mapped.ReadyMade([.. ReadyMade.Names]);
        string[] topics =
        [
            "tele/x/SENSOR",
            "zigbee2mqtt/a/b",
            "x/events/rpc",
            "x/status/temperature:0",
            "x/sensor/temperature/state",
            "homeassistant_state/sensor/x_co2/state",
        ];
        string[] seeds =
        [
            """{"Time":"2026-11-20T10:13:48","AM2301":{"Temperature":28.7,"Humidity":"x"},"TempUnit":"F"}""",
            """{"params":{"ts":1.5,"temperature:0":{"tC":1e400},"switch:0":{"apower":-1,"aenergy":{"total":1e28}}}}""",
            """{"temperature":"\ud800","last_seen":"2026-11-20T10:13:48+01:00"}""",
            "655",
            "-1e308",
            "unknown",
            "\"",
            "{",
            "[[[[[[",
            "\uFEFF",
            "0x10",
            "٣",
        ];
        for (var i = 0; i < 20_000; i++)
        {
            var topic = Mutate(random, Encoding.UTF8.GetBytes(topics[random.Next(topics.Length)]), i % 3 == 0);
            var payload = Mutate(random, Encoding.UTF8.GetBytes(seeds[random.Next(seeds.Length)]), true);
            foreach (var kind in Enum.GetValues<ReadingKind>())
            {
                var route = set.Route(Encoding.UTF8.GetString(topic), kind);
                if (route.Outcome != TopicOutcome.Mapped)
                    continue;
                Assert.True(Topics.IsDeviceId(route.DeviceId));
                try
                {
                    foreach (var reading in MessageMapper.Map(route, payload, kind).Where(reading => reading.HasValue))
                        Payload.Decode(reading.Json, true, route.DeviceId, kind, DateTimeOffset.UnixEpoch);
                }
                catch (PayloadException) { }
            }
        }
    }

    static byte[] Mutate(Random random, byte[] bytes, bool really)
    {
        if (!really)
            return bytes;
        for (var changes = random.Next(4); changes > 0 && bytes.Length > 0; changes--)
        {
            var at = random.Next(bytes.Length);
            bytes = random.Next(4) switch
            {
                0 => [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]],
                1 => [.. bytes[..at], .. bytes[(at + 1)..]],
                2 => [.. bytes[..at], .. bytes[..at]],
                _ => [.. bytes[..at], (byte)random.Next(256), .. bytes[(at + 1)..]],
            };
        }
        return bytes;
    }
}
