using System.Globalization;
using System.Text.Json;
using ThermalStreaming.Testing;
using static ThermalStreaming.Pipeline.Tests.PipelineProject;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// A day of inverters, compressed into a minute, while services are killed. Then other people's tools read it back: the AWS CLI and Python
/// the bucket, DuckDB the table, and Snowpipe itself is asked what it loaded.
/// </summary>
public sealed class DayTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Every_record_of_a_day_is_loaded_or_quarantined_with_its_rules_and_Snowpipe_says_so()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        await using var running = await StartAsync(
            new Dictionary<string, string>
            {
                ["SNOWPIPE_MONITOR"] = "true",
                ["SNOWPIPE_MONITOR_INTERVAL"] = "2s",
                ["SNOWPIPE_MISSED_AFTER"] = "10m",
            },
            extraFile: null,
            Broker,
            S3,
            S3Forwarder,
            Snowflake
        );
        await Scenario.RunAsync(
            running,
            output,
            "a day of 60 inverters, read back by the AWS CLI, Python and DuckDB",
            async project =>
            {
                var yesterday = new DateTimeOffset(TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddDays(-1), TimeSpan.Zero);
                var day = new DayOfInverters(yesterday, random);
                await PublishAsync(project, day);

                var lines = await ReadBackAsync(project, until: DayOfInverters.Count);

                Compare(day, lines);
                await CompareTableAsync(project, day, lines);
                await CompareLoadsAsync(project, lines);
                var check = await project.ExecuteAsync(S3Forwarder, "check");
                Assert.True(check.ExitCode == 0, check.Text);
            }
        );
    }

    static async Task PublishAsync(PipelineProject project, DayOfInverters day)
    {
        await using var client = new MqttNetClient();
        Assert.Equal(0, await client.ConnectAsync(project.MqttPort, "publisher", "publisher", project.PublisherPassword));
        var sent = 0;
        foreach (var message in day.Messages())
        {
            Assert.Equal(0, await client.PublishAsync($"telemetry/v1/{DayOfInverters.Device}/inverter", message));
            sent++;
            if (sent == 70)
                await KillAsync(S3Forwarder);
            else if (sent == 140)
                await KillAsync(Snowflake);
            else if (sent == 210)
                await KillAsync(S3);
        }

        async Task KillAsync(string service)
        {
            await project.KillAsync(service);
            await project.StartServiceAsync(service);
            await project.ReadyAsync();
        }
    }

    /// <summary>Reads the bucket until a record for each reading is in it.</summary>
    static async Task<IReadOnlyList<string[]>> ReadBackAsync(PipelineProject project, long until)
    {
        var script = await File.ReadAllTextAsync(Path.Combine(Root, "tests", "Pipeline.Tests", "read_day.py"));
        List<string[]> lines = [];
        await Until.TrueAsync(
            "the day is in the bucket",
            TimeSpan.FromMinutes(4),
            async () =>
            {
                var answer = await Docker.TryAsync(
                    ["exec", (await project.ReplicasAsync(S3))[0].Id, "python3", "-c", script, project.Bucket.Name, DayOfInverters.Device],
                    null,
                    TimeSpan.FromMinutes(2)
                );
                lines = [.. answer.OrThrow().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))];
                return lines.Count >= until;
            },
            () => $"{lines.Count} of {until} records are there."
        );
        return lines;
    }

    static void Compare(DayOfInverters day, IReadOnlyList<string[]> lines)
    {
        var found = lines.ToLookup(line => long.Parse(line[2], CultureInfo.InvariantCulture));
        for (var sequence = 1L; sequence <= DayOfInverters.Count; sequence++)
        {
            var record = Assert.Single(found[sequence]);
            var expected = day.Broken.TryGetValue(sequence, out var rules) ? ("quarantine", string.Join(',', rules)) : ("data", "");
            Assert.Equal((sequence, expected), (sequence, (record[1], record[4])));
        }
        Assert.Equal(DayOfInverters.Count, lines.Count);
        Assert.InRange(day.Broken.Count, DayOfInverters.Count / 50, DayOfInverters.Count / 10);
    }

    /// <summary>The table has the records of the objects, object by object, and their sum.</summary>
    static async Task CompareTableAsync(PipelineProject project, DayOfInverters day, IReadOnlyList<string[]> lines)
    {
        var valid = DayOfInverters.Count - day.Broken.Count;
        var loaded = 0L;
        await Until.TrueAsync(
            "the day is in the table",
            TimeSpan.FromMinutes(2),
            async () => (loaded = (await ByObjectAsync(project)).Values.Sum()) >= valid,
            () => $"{loaded} of {valid} rows are there."
        );
        Assert.Equal(
            lines.Where(line => line[1] == "data").CountBy(line => line[0]).OrderBy(it => it.Key, StringComparer.Ordinal),
            (await ByObjectAsync(project))
                .Select(it => KeyValuePair.Create(it.Key, (int)it.Value))
                .OrderBy(it => it.Key, StringComparer.Ordinal)
        );
        var sums = await project.Emulator.QueryAsync(
            "SELECT COUNT(DISTINCT JSON_BODY:sequence::BIGINT) AS N, SUM(JSON_BODY:PAC::DOUBLE) AS PAC FROM INVERTER_DATA_RAW "
                + $"WHERE JSON_BODY:device_id::VARCHAR = '{DayOfInverters.Device}'"
        );
        Assert.Equal(valid, sums[0].GetProperty("N").GetInt64());
        Assert.Equal(day.ValidPac, sums[0].GetProperty("PAC").GetDouble(), tolerance: 0.01);
    }

    static async Task<Dictionary<string, long>> ByObjectAsync(PipelineProject project) =>
        (
            await project.Emulator.QueryAsync(
                "SELECT FILE_NAME, COUNT(*) AS N FROM INVERTER_DATA_RAW "
                    + $"WHERE JSON_BODY:device_id::VARCHAR = '{DayOfInverters.Device}' GROUP BY FILE_NAME"
            )
        ).ToDictionary(row => row.GetProperty("FILE_NAME").GetString()!, row => row.GetProperty("N").GetInt64());

    /// <summary>The forwarder has heard from Snowpipe that each object was loaded, none in part and none missed.</summary>
    static async Task CompareLoadsAsync(PipelineProject project, IReadOnlyList<string[]> lines)
    {
        var objects = lines.Where(line => line[1] == "data").Select(line => line[0]).Distinct().Count();
        JsonElement list = default;
        await Until.TrueAsync(
            "Snowpipe has told of every object",
            TimeSpan.FromMinutes(2),
            async () =>
            {
                list = JsonSerializer.Deserialize<JsonElement>(
                    (await project.ExecuteAsync(S3Forwarder, "loads", "status", "--json")).OrThrow().Output
                );
                return list.GetProperty("pending").GetInt32() == 0;
            },
            () => $"{list}"
        );
        Assert.Equal((0, 0), (list.GetProperty("missed").GetInt32(), list.GetProperty("unloaded").GetArrayLength()));
        // Counted since the last start of the forwarder, which was killed on the way.
        var loads = (await project.StatusAsync(S3Forwarder)).Single().GetProperty("loads");
        Assert.InRange(loads.GetProperty("loaded").GetInt64(), 1, objects);
        Assert.Equal(0, loads.GetProperty("failed").GetInt64());
    }
}
