namespace ThermalStreaming.Mappings.Tests;

/// <summary>What is wrong with a mapping file is said all at once, with file, line and key.</summary>
public sealed class MappingFileTests
{
    const string Good = """
        mappings:
          - name: garden
            messages:
              - topic: garden/{device}/air
                readings:
                  - fields: { temperature: t }
        """;

    [Fact]
    public void Everything_that_is_wrong_is_said_with_line_and_key()
    {
        var problems = Mapped.Problems(
            """
            mappings:
              - name: garden shed
                messages:
                  - topic: garden/+/air
                    payload: text
                    time: { path: time, zone: Middle-earth }
                    readings:
                      - kind: solar
                        fields:
                          temperature: { path: t, unit: hPa }
                          humidty: h
                          pressure: { unit: bananas, path: a..b }
                        constants: { co2: "1", place: "{room}" }
                        extra: { device_id: x }
                        colour: green
            """
        );

        Assert.Equal(
            [
                "test.yaml:2: mappings[0].name: is 'garden shed'; 1 to 40 letters, digits, - and _ are allowed, because device ids may begin "
                    + "with it",
                "test.yaml:4: mappings[0].messages[0].topic: '+' is not a level of a topic pattern; a level is a text with at most "
                    + "one * or one {name}, and the wildcards of MQTT, + and #, are written * and {name}",
                "test.yaml:5: mappings[0].messages[0].payload: is 'text'; it must be json, or value for a payload that is a bare value",
                "test.yaml:15: mappings[0].messages[0].readings[0].colour: is not a known key here; known are kind, each, except, "
                    + "fields, constants, extra",
                "test.yaml:8: mappings[0].messages[0].readings[0].kind: is 'solar'; it must be thermal or inverter",
                "test.yaml:10: mappings[0].messages[0].readings[0].fields.temperature.unit: is 'hPa', but temperature is kept in °C; it must "
                    + "be one of °C, °F, K",
                "test.yaml:11: mappings[0].messages[0].readings[0].fields.humidty: is not a field of a reading of kind thermal; known are "
                    + "temperature, humidity, co2, pressure, temperatureicp, equivalentco2ppm, totalvocppb, gas_resistance, cputempf, cpu, "
                    + "memory, host, hostname, ipaddress, macaddress. Other values belong under extra",
                "test.yaml:12: mappings[0].messages[0].readings[0].fields.pressure.path: 'a..b' is not a path; write keys with dots "
                    + "between them, such as BME280.Temperature",
                "test.yaml:13: mappings[0].messages[0].readings[0].constants.co2: cannot be set: it is a measurement, or the forwarder writes "
                    + "it itself",
                "test.yaml:13: mappings[0].messages[0].readings[0].constants.place: '{room}' names {room}, which the topic does not capture",
                "test.yaml:14: mappings[0].messages[0].readings[0].extra.device_id: is a key that the rows have already, or not a "
                    + "key of letters, digits, _ and -; choose another one",
                "test.yaml:6: mappings[0].messages[0].time.zone: is 'Middle-earth', which this system does not know; it must be UTC, "
                    + "an IANA name such as Europe/Berlin, or arrival, which uses the time of arrival for a time without a zone",
            ],
            problems
        );
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("# nothing\n", null)]
    [InlineData("mappings: []", null)]
    [InlineData("mapping: []", "test.yaml:1: mapping: is not a known key here; known are mappings")]
    [InlineData("- a", "test.yaml:1: mappings: is missing: a mapping file begins with 'mappings:' and a list below it")]
    [InlineData("mappings:\n  - name: [", "test.yaml:3: this is not YAML: ")]
    [InlineData("mappings: []\nmappings: []", "test.yaml:2: the key 'mappings' comes twice")]
    [InlineData("mappings: []\n---\nmappings: []", "test.yaml:2: a second document begins; a file must hold only one")]
    [InlineData("mappings: &a [*a]", "test.yaml:1: aliases (*name) are not supported; write the part out")]
    [InlineData("mappings: [a]", "test.yaml:1: mappings[0]: is 'a'; it must have the keys name, description, gateway, messages, ignore")]
    [InlineData(
        "mappings:\n  - name: a",
        "test.yaml:2: mappings[0].messages: is missing: a list of topics, each with the readings that its messages make"
    )]
    public void Files_that_are_none(string text, string? problem)
    {
        var problems = Mapped.Problems(text);

        if (problem is null)
            Assert.Empty(problems);
        else
            Assert.StartsWith(problem, problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public void JSON_is_read_too()
    {
        var set = Mapped.File(
            """
            {"mappings":[{"name":"garden","messages":[{"topic":"garden/{device}/air","readings":[{"fields":{"temperature":"t"}}]}]}]}
            """
        );

        Assert.Equal(["""{"temperature":1}"""], Mapped.Take(set, "garden/shed/air", """{"t":1}""").Readings);
    }

    [Theory]
    [InlineData("telemetry/v1/{device}/air", "takes topics of telemetry/v1/+/+, which are in use already")]
    [InlineData("{device}/v1/x/y", "takes topics of telemetry/v1/+/+, which are in use already")]
    [InlineData("forwarders/*/{device}", "takes topics of forwarders/v1/thermal, which are in use already")]
    [InlineData("$SYS/{device}", "begins with $, which MQTT keeps for brokers")]
    [InlineData("{device}", "takes every topic of its length")]
    [InlineData("a/b", "has no {device}: where the topic names no device, the mapping needs 'gateway: true'")]
    [InlineData("a/x{device}", "{device} must fill its level: the broker lets a device publish where its name stands alone")]
    [InlineData("a/{x}/{x}/{device}", "the capture {x} comes twice")]
    [InlineData("a/{device}/#", "'#' is not a level of a topic pattern; ")]
    [InlineData("a/*b*/{device}", "'*b*' is not a level of a topic pattern; ")]
    public void Topics_that_cannot_be(string topic, string problem)
    {
        var found = Mapped.Problems(Good.Replace("garden/{device}/air", $"\"{topic}\"", StringComparison.Ordinal))[0];

        Assert.StartsWith("test.yaml:4: ", found, StringComparison.Ordinal);
        Assert.Contains(problem, found, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("garden/{device}/air", "is taken by test.yaml:4 ('garden/{device}/air') already, which comes first")]
    [InlineData("{device}/{x}/air", null)]
    [InlineData("garden/{device}/*", null)]
    public void Mappings_of_the_same_topics(string topic, string? problem)
    {
        var problems = Mapped.Problems(
            Good,
            Good.Replace("name: garden", "name: other", StringComparison.Ordinal)
                .Replace("garden/{device}/air", $"\"{topic}\"", StringComparison.Ordinal)
        );

        if (problem is null)
            Assert.Empty(problems);
        else
            Assert.Contains(problem, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void One_filter_has_one_kind_of_sender()
    {
        const string gateway = """
            mappings:
              - name: hub
                gateway: true
                messages:
                  - topic: garden/{plant}/air
                    readings:
                      - fields: { temperature: t }
            """;

        Assert.EndsWith(
            "subscribe to the same topics, one as a gateway and one for devices themselves",
            Assert.Single(Mapped.Problems(Good, gateway)),
            StringComparison.Ordinal
        );
        Assert.EndsWith(
            "subscribe to the same topics and belong to two gateways",
            Assert.Single(
                Mapped.Problems(
                    gateway,
                    gateway.Replace("hub", "hub2", StringComparison.Ordinal).Replace("plant", "x", StringComparison.Ordinal)
                )
            ),
            StringComparison.Ordinal
        );
        Assert.Contains("'garden' is the name of the mapping at test.yaml:2 too", Mapped.Problems(Good, Good)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_missing_or_a_name_that_is_not_ready_made()
    {
        var problems = new List<string>();
        MappingFiles.InUse("tasmota, tasmoto", "/nowhere/mappings.yaml", problems);

        Assert.Equal(2, problems.Count);
        Assert.StartsWith("The mapping file /nowhere/mappings.yaml cannot be read: ", problems[0], StringComparison.Ordinal);
        Assert.StartsWith("MAPPINGS names 'tasmoto', which is not ready-made; there are esphome, ", problems[1], StringComparison.Ordinal);
        problems.Clear();
        Assert.Empty(MappingFiles.InUse("", "/dev/null", problems).Mappings);
        Assert.Empty(problems);
    }
}
