using System.Globalization;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>The queries of sql/classic on what the loader has loaded: the very SQL that is run in Snowflake.</summary>
public class LoadQueryTests
{
    static string File(string name) => Emulator.Find($"sql/classic/{name}");

    static string Reading(string boot, int sequence, string more = "") =>
        $$"""{"id":"Inverter_1","PAC":1000.5,"temperature":null,"device_id":"pi","boot_id":"{{boot}}","sequence":{{sequence}}"""
        + $$""","observed_at":"2026-11-20T11:00:00.250000+01:00"{{more}} }""";

    [Fact]
    public async Task Monitoring_tells_the_state_of_the_pipe_and_what_was_refused_and_why()
    {
        await using var stand = await LoaderStand.StartAsync(LoaderStand.Continue);
        await stand.LoadAsync("good.json", Reading("b", 1) + "\n" + Reading("b", 2));
        await stand.LoadAsync("part.json", Reading("b", 2) + "\nhalf {");
        await stand.LoadAsync("bad.json", "x");

        var results = await QueryTests.RunAsync(stand.Emulator, File("07_monitoring.sql"));

        var status = JsonNode.Parse((string)results[0][0]!["PIPE_STATUS"]!)!;
        Assert.Equal("part.json", (string?)status["lastIngestedFilePath"]);
        var age =
            TimeProvider.System.GetUtcNow() - DateTimeOffset.Parse((string)status["lastIngestedTimestamp"]!, CultureInfo.InvariantCulture);
        Assert.InRange(age, TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(1));
        Assert.Equal(
            ["Load failed 1 0 1 1", "Loaded 1 2 2 0", "Partially loaded 1 1 2 1"],
            results[1].Select(r => $"{r["STATUS"]} {r["FILES"]} {r["ROWS_LOADED"]} {r["ROWS_PARSED"]} {r["ERRORS"]}")
        );
        Assert.Equal(
            ["bad.json 1 1", "part.json 2 1"],
            results[2].Select(r => $"{r["FILE_NAME"]} {r["FIRST_ERROR_LINE_NUMBER"]} {r["FIRST_ERROR_CHARACTER_POS"]}").Order()
        );
        Assert.Equal((3, 2), ((int)results[3][0]!["ROWS_IN_LAST_HOUR"]!, (int)results[3][0]!["FILES"]!));
        Assert.InRange((double)results[3][0]!["LONGEST_S"]!, -1.1, 60);
        Assert.Equal(
            "pi b 2 2",
            string.Join(' ', results[4].Select(r => $"{r["DEVICE_ID"]} {r["BOOT_ID"]} {r["SEQUENCE"]} {r["COPIES"]}"))
        );
    }

    [Fact]
    public async Task The_view_has_types_and_each_reading_once()
    {
        await using var stand = await LoaderStand.StartAsync();
        await stand.LoadAsync("a.json", Reading("b", 1) + "\n" + Reading("b", 2, ",\"frequency\":\"odd\""));
        await stand.LoadAsync("b.json", Reading("b", 1) + "\n{\"id\":\"no identity\"}\n{\"id\":\"no identity\"}");

        await QueryTests.RunAsync(stand.Emulator, File("02_view.sql"));
        var answer = await stand.Emulator.GetAsync(
            "/emulator/query?sql="
                + Uri.EscapeDataString(
                    "SELECT INVERTER_ID, PAC_W, TEMPERATURE_C, FREQUENCY_HZ, SEQUENCE, OBSERVED_AT FROM INVERTER_DATA ORDER BY SEQUENCE, INVERTER_ID"
                )
        );

        Assert.Equal(
            [
                """["Inverter_1",1000.5,null,null,1,"2026-11-20 10:00:00.250"]""",
                """["Inverter_1",1000.5,null,null,2,"2026-11-20 10:00:00.250"]""",
                """["no identity",null,null,null,null,null]""",
                """["no identity",null,null,null,null,null]""",
            ],
            answer.Json["rows"]!
                .AsArray()
                .Select(row => new JsonArray([.. row!.AsObject().Select(c => c.Value?.DeepClone())]).ToJsonString())
        );
    }

    [Fact]
    public async Task COPY_HISTORY_takes_the_table_by_any_of_its_names_and_a_span_of_time()
    {
        await using var stand = await LoaderStand.StartAsync();
        await stand.LoadAsync("a.json", Reading("b", 1));

        Assert.Equal(1, await CountAsync(stand, "TABLE_NAME => 'inverter_data_raw', START_TIME => DATEADD(HOUR, -1, CURRENT_TIMESTAMP())"));
        Assert.Equal(1, await CountAsync(stand, "START_TIME => DATEADD(HOUR, -1, SYSDATE()), TABLE_NAME => 'DEMO.INVERTER_DATA_RAW'"));
        Assert.Equal(0, await CountAsync(stand, "TABLE_NAME => 'OTHER', START_TIME => DATEADD(HOUR, -1, SYSDATE())"));
        Assert.Equal(
            0,
            await CountAsync(
                stand,
                "TABLE_NAME => 'INVERTER_DATA_RAW', START_TIME => DATEADD(HOUR, -2, SYSDATE()), END_TIME => DATEADD(HOUR, -1, SYSDATE())"
            )
        );
        // A second query reads what was loaded since the first; a reset empties the history.
        await stand.LoadAsync("b.json", Reading("b", 2));
        Assert.Equal(2, await CountAsync(stand, "TABLE_NAME => 'INVERTER_DATA_RAW', START_TIME => DATEADD(HOUR, -1, SYSDATE())"));
        await stand.Emulator.SendAsync(HttpMethod.Post, "/emulator/reset");
        Assert.Equal(0, await CountAsync(stand, "TABLE_NAME => 'INVERTER_DATA_RAW', START_TIME => DATEADD(HOUR, -1, SYSDATE())"));
    }

    static async Task<int> CountAsync(LoaderStand stand, string arguments)
    {
        var sql = $"SELECT COUNT(*) AS N FROM TABLE(DEMO.INFORMATION_SCHEMA.COPY_HISTORY({arguments}))";
        var answer = await stand.Emulator.GetAsync("/emulator/query?sql=" + Uri.EscapeDataString(sql));
        Assert.True(answer.Status == System.Net.HttpStatusCode.OK, answer.Body);
        return (int)answer.Json["rows"]![0]!["N"]!;
    }
}
