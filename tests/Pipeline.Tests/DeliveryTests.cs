using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>What was published is what the table and the bucket hold, with nothing in the way.</summary>
[Collection(nameof(WholePipeline))]
public sealed partial class DeliveryTests(WholePipeline pipeline, ITestOutputHelper output)
{
    static readonly string[] originalThermalKeys =
    [
        "uuid",
        "rowid",
        "ipaddress",
        "macaddress",
        "host",
        "hostname",
        "local_hostname",
        "cputempf",
        "runtime",
        "systemtime",
        "starttime",
        "endtime",
        "te",
        "ts",
        "datetimestamp",
        "cpu",
        "memory",
        "diskusage",
        "temperature",
        "humidity",
        "co2",
        "pressure",
        "temperatureicp",
        "equivalentco2ppm",
        "totalvocppb",
    ];

    static readonly string[] originalInverterKeys =
    [
        "id",
        "PAC",
        "energy_output",
        "energy_conversion_efficiency",
        "performance_ratio",
        "system_uptime",
        "temperature",
        "input_voltage",
        "output_voltage",
        "frequency",
        "fault_status",
    ];

    [Fact]
    public Task Every_reading_arrives_once_with_every_value_it_was_published_with() =>
        pipeline.ScenarioAsync(
            output,
            "protobuf and JSON from three devices, over midnight, row by row",
            async project =>
            {
                // Two seconds before midnight: the later readings belong to another date than the first.
                var midnight = new DateTimeOffset(TimeProvider.System.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);
                await using var fleet = Fleet.Publish(project, "plain", count: 3, startedAt: midnight - TimeSpan.FromSeconds(2));
                await fleet.MoreAsync(350);

                await project.ExpectExactlyOnceAsync([fleet]);

                var dates = (await project.Bucket.ObjectsAsync("inverter-data/"))
                    .Where(stored =>
                        stored.Lines.Any(line =>
                            line.GetProperty("device_id").GetString()!.StartsWith(fleet.Name, StringComparison.Ordinal)
                        )
                    )
                    .Select(stored => stored.Key.Split('/')[1])
                    .Distinct()
                    .Order();
                Assert.Equal(
                    [
                        midnight.AddDays(-1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                        midnight.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                    ],
                    dates
                );
            }
        );

    [Fact]
    public Task Objects_are_named_by_date_kind_time_journal_slot_offset_and_part() =>
        pipeline.ScenarioAsync(
            output,
            "keys of the objects",
            async project =>
            {
                await Until.TrueAsync(
                    "there are objects of both prefixes",
                    TimeSpan.FromSeconds(60),
                    async () =>
                        (await project.Bucket.ObjectsAsync("inverter-quarantine/")).Count > 0
                        && (await project.Bucket.ObjectsAsync("inverter-data/")).Count > 3
                );

                var objects = await project.Bucket.ObjectsAsync();

                Assert.All(objects, stored => Assert.Matches(KeyPattern(), stored.Key));
                Assert.Contains(objects, stored => stored.Key.Contains("-4of4.", StringComparison.Ordinal));
                Assert.All(objects, stored => Assert.NotEmpty(stored.Lines));
            }
        );

    [Fact]
    public Task The_agents_thermal_rows_have_the_25_original_keys_and_real_system_metrics() =>
        pipeline.ScenarioAsync(
            output,
            "rows of the real sensor-agent",
            async project =>
            {
                await Until.TrueAsync(
                    "both agents have rows in the table",
                    TimeSpan.FromSeconds(60),
                    async () =>
                        (await AgentRowsAsync(project, "agent-1")).Count >= 20 && (await AgentRowsAsync(project, "agent-2")).Count >= 20
                );

                // A simulated sensor fails now and then, as a real one does, and its values are null for as long.
                string[] sensors = ["temperature", "humidity", "co2", "pressure", "temperatureicp", "equivalentco2ppm", "totalvocppb"];
                var whole = (await AgentRowsAsync(project, "agent-1"))
                    .Where(row => sensors.All(key => row.GetProperty(key).ValueKind == JsonValueKind.Number))
                    .Take(200)
                    .ToList();
                Assert.NotEmpty(whole);
                foreach (var row in whole)
                {
                    Assert.Equal(originalThermalKeys, row.EnumerateObject().Take(25).Select(property => property.Name));
                    foreach (var key in originalThermalKeys.Except(["cputempf"]))
                        Assert.True(
                            row.GetProperty(key).ValueKind is JsonValueKind.String or JsonValueKind.Number,
                            $"{key} is {row.GetProperty(key)} in {row}"
                        );
                    Assert.Equal(Environment.MachineName, row.GetProperty("hostname").GetString());
                    Assert.True(System.Net.IPAddress.TryParse(row.GetProperty("ipaddress").GetString(), out _));
                    Assert.Matches("^([0-9a-f]{2}:){5}[0-9a-f]{2}$", row.GetProperty("macaddress").GetString());
                    Assert.Matches("^[0-9]+(\\.[0-9]+)? MB$", row.GetProperty("diskusage").GetString());
                    Assert.InRange(row.GetProperty("cpu").GetDouble(), 0, 100);
                    Assert.InRange(row.GetProperty("memory").GetDouble(), 0.1, 100);
                    Assert.InRange(row.GetProperty("temperature").GetDouble(), -10, 60);
                    Assert.InRange(row.GetProperty("humidity").GetDouble(), 0, 100);
                    Assert.InRange(row.GetProperty("co2").GetDouble(), 300, 40_000);
                    Assert.InRange(row.GetProperty("pressure").GetDouble(), 30_000, 110_000);
                    Assert.InRange(row.GetProperty("equivalentco2ppm").GetDouble(), 400, 60_000);
                    Assert.InRange(row.GetProperty("totalvocppb").GetDouble(), 0, 60_000);
                    Assert.InRange(row.GetProperty("temperatureicp").GetDouble(), -40, 185);
                    Assert.InRange(
                        row.GetProperty("ts").GetInt64(),
                        TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 3600,
                        TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1
                    );
                    if (Directory.Exists("/sys/class/thermal/thermal_zone0"))
                        Assert.InRange(row.GetProperty("cputempf").GetDouble(), 32, 250);
                }
                Assert.InRange(
                    (await AgentRowsAsync(project, "agent-1"))[^1].GetProperty("memory").GetDouble(),
                    MemoryPercent() - 25,
                    MemoryPercent() + 25
                );
            }
        );

    [Fact]
    public Task The_agents_readings_arrive_once_each_on_both_roads() =>
        pipeline.ScenarioAsync(
            output,
            "numbers of the real sensor-agents",
            async project =>
            {
                await new AgentDelivery(project).ExpectExactlyOnceAsync(atLeast: 20);
            }
        );

    [Fact]
    public Task Inverter_objects_hold_the_11_original_keys_and_what_breaks_a_rule_is_quarantined_with_its_reason() =>
        pipeline.ScenarioAsync(
            output,
            "inverter rows of the real sensor-agent",
            async project =>
            {
                await Until.TrueAsync(
                    "valid and quarantined rows of the agent are in the bucket",
                    TimeSpan.FromSeconds(90),
                    async () =>
                        (await project.Bucket.ObjectsAsync("inverter-quarantine/")).Count > 0
                        && (await project.Bucket.ObjectsAsync("inverter-data/")).Count > 0
                );

                foreach (
                    var row in (await project.Bucket.ObjectsAsync("inverter-data/"))
                        .SelectMany(stored => stored.Lines)
                        .Where(row => row.GetProperty("device_id").GetString()!.StartsWith("agent-", StringComparison.Ordinal))
                )
                {
                    Assert.Equal(originalInverterKeys, row.EnumerateObject().Take(11).Select(property => property.Name));
                    Assert.InRange(row.GetProperty("PAC").GetDouble(), 1000, 5000);
                    Assert.InRange(row.GetProperty("energy_conversion_efficiency").GetDouble(), 90, 99);
                    Assert.InRange(row.GetProperty("performance_ratio").GetDouble(), 0.7, 0.95);
                    Assert.InRange(row.GetProperty("output_voltage").GetDouble(), 220, 240);
                }
                foreach (var row in (await project.Bucket.ObjectsAsync("inverter-quarantine/")).SelectMany(stored => stored.Lines))
                {
                    Assert.Equal(
                        originalInverterKeys,
                        row.GetProperty("reading").EnumerateObject().Take(11).Select(property => property.Name)
                    );
                    Assert.NotEmpty(row.GetProperty("reasons").EnumerateArray());
                    Assert.All(
                        row.GetProperty("reasons").EnumerateArray(),
                        reason =>
                        {
                            Assert.Contains(reason.GetProperty("rule").GetString(), originalInverterKeys);
                            Assert.NotEmpty(reason.GetProperty("problem").GetString()!);
                        }
                    );
                }
            }
        );

    [Fact]
    public Task The_table_shows_what_was_sent_as_columns() =>
        pipeline.ScenarioAsync(
            output,
            "columns of the table",
            async project =>
            {
                await Until.TrueAsync(
                    "there are rows in the table",
                    TimeSpan.FromSeconds(60),
                    async () => (await project.ThermalRowsAsync()).Any()
                );

                var row = (await project.Emulator.ColumnsAsync(5))[0];

                Assert.Equal(row.GetProperty("RAW_DATA").GetProperty("uuid").GetString(), row.GetProperty("UUID").GetString());
                // The original table has no column for local_hostname; it is in RAW_DATA.
                foreach (
                    var key in originalThermalKeys
                        .Except(["local_hostname"])
                        .Concat(["device_id", "boot_id", "sequence", "forwarded_at", "channel_id", "stream_offset"])
                )
                    Assert.True(row.TryGetProperty(key.ToUpperInvariant(), out _), $"there is no column for {key} in {row}");
            }
        );

    static async Task<IReadOnlyList<JsonElement>> AgentRowsAsync(PipelineProject project, string device) =>
        [.. (await project.ThermalRowsAsync()).Where(row => row.GetProperty("device_id").GetString() == device)];

    static double MemoryPercent()
    {
        var numbers = File.ReadLines("/proc/meminfo")
            .Take(3)
            .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture))
            .ToArray();
        return 100 * (numbers[0] - numbers[2]) / numbers[0];
    }

    [GeneratedRegex(
        "^inverter-(data|quarantine)/[0-9]{4}-[0-9]{2}-[0-9]{2}/inverter-[0-9]{8}T[0-9]{6}Z-[0-9a-f]+-slot-[0-9]+-[0-9]{20}-[0-9]+of[0-9]+\\.json$"
    )]
    private static partial Regex KeyPattern();
}
