using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>A table and a pipe that an older version made (OldSql), with rows of this version, and the way to the new columns.</summary>
public sealed class UpgradeTests
{
    const string NewKeys =
        "\"gas_resistance\":117297,\"under_voltage\":true,\"throttled\":327685,\"load_1m\":0.53,\"uptime_s\":86400,"
        + "\"quality\":\"clock:Unsynchronised\",\"sensors\":\"bme68x\"";

    static readonly string[] newColumns = ["GAS_RESISTANCE", "QUALITY", "SENSORS", "UNDER_VOLTAGE", "THROTTLED", "LOAD_1M", "UPTIME_S"];

    static string Old(string file) => File.ReadAllText(Emulator.Find($"tests/SnowflakeEmulator.Tests/OldSql/{file}"));

    static string OldSql => Old("01_database.sql") + Old("02_table.sql") + Old("03_pipe.sql");

    static string New(string file) => File.ReadAllText(Path.Combine(Emulator.ProjectSql, file));

    static string Row(string uuid) => $$"""{"uuid":"{{uuid}}","temperature":21.5,{{NewKeys}}}""";

    [Fact]
    public async Task Rows_with_the_new_keys_load_into_an_old_table_through_an_old_pipe()
    {
        await using var emulator = await Emulator.StartAsync(sql: OldSql);
        await emulator.OpenAsync();

        await emulator.AppendAsync("0_1", "1", Row("a"));

        var row = Assert.Single(await emulator.RowsAsync());
        Assert.Equal(("a", 21.5), ((string?)row["UUID"], (double?)row["TEMPERATURE"]));
        Assert.Equal("bme68x", (string?)row["RAW_DATA"]!["sensors"]);
        Assert.Empty(await emulator.ErrorsAsync());
    }

    [Fact]
    public async Task The_new_SQL_adds_the_columns_to_an_old_table_and_its_old_pipe_goes_on()
    {
        await using var emulator = await Emulator.StartAsync(sql: OldSql);
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", """{"uuid":"a","temperature":21.5}""");
        var before = Assert.Single(await emulator.RowsAsync()).AsObject();
        await File.WriteAllTextAsync(Path.Combine(emulator.SqlDirectory, "02.sql"), New("02_table.sql") + New("03_pipe.sql"));

        await emulator.RestartAsync();

        var after = Assert.Single(await emulator.RowsAsync()).AsObject();
        Assert.All(newColumns, column => Assert.True(after.ContainsKey(column) && after[column] is null, column));
        Assert.All(before, pair => Assert.True(JsonNode.DeepEquals(pair.Value, after[pair.Key]), pair.Key));
        await emulator.OpenAsync();
        await emulator.AppendAsync("1_1", "2", Row("b"));
        Assert.Equal("ab", await emulator.UuidsAsync());
        Assert.Empty(await emulator.ErrorsAsync());
    }

    [Fact]
    public async Task The_new_pipe_fills_the_new_columns()
    {
        await using var emulator = await Emulator.StartAsync(
            sql: Old("01_database.sql") + Old("02_table.sql") + New("02_table.sql") + New("03_pipe.sql")
        );
        await emulator.OpenAsync();

        await emulator.AppendAsync("0_1", "1", Row("a") + "\n" + """{"uuid":"b","temperature":null}""");

        var rows = await emulator.RowsAsync();
        Assert.Equal(
            """[117297,"clock:Unsynchronised","bme68x",true,327685,0.53,86400]""",
            new JsonArray([.. newColumns.Select(column => rows[0][column]!.DeepClone())]).ToJsonString()
        );
        Assert.All(newColumns, column => Assert.Null(rows[1][column]));
        Assert.Empty(await emulator.ErrorsAsync());
    }
}
