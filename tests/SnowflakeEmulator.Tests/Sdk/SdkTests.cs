using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator.Tests.Sdk;

/// <summary>
/// Snowflake's own Streaming SDK against the emulator, over HTTPS: it must not be able to tell the two apart. Each scenario is a function
/// of scenarios.py, which also says what rows must be in the table.
/// </summary>
public class SdkTests
{
    const string OddSql = """"
        CREATE DATABASE PLAIN; CREATE SCHEMA PLAIN.PUBLIC_X; USE SCHEMA PLAIN.PUBLIC_X;
        CREATE TABLE T (A VARCHAR);
        CREATE PIPE P AS COPY INTO T (A) FROM (SELECT $1:a::VARCHAR FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')));
        CREATE DATABASE "lower db"; CREATE SCHEMA "lower db"."Sché/ma"; USE SCHEMA "lower db"."Sché/ma";
        CREATE TABLE "täble" ("a" VARCHAR);
        CREATE PIPE "pipe %2F ""x""" AS COPY INTO "täble" ("a") FROM (SELECT $1:a::VARCHAR FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')));
        """";

    static void Nothing(EmulatorSettings settings) { }

    static async Task<Emulator> RunAsync(string scenario, Action<EmulatorSettings> change, string? sql = null)
    {
        var emulator = await Emulator.StartAsync(
            settings =>
            {
                settings.HttpsPort = 0;
                settings.CommitDelay = TimeSpan.FromMilliseconds(500);
                change(settings);
            },
            sql: sql
        );
        var key = Path.Combine(emulator.DataDirectory, "key.p8");
        var expected = Path.Combine(emulator.DataDirectory, "expected.ndjson");
        await File.WriteAllTextAsync(key, emulator.Key.ExportPkcs8PrivateKeyPem());
        var (code, output) = await PythonSdk.RunAsync(
            scenario,
            new Dictionary<string, string>
            {
                ["HTTPS_URL"] = emulator.Base("https").ToString().TrimEnd('/'),
                ["HTTP_URL"] = emulator.Base("http").ToString().TrimEnd('/'),
                ["SSL_CERT_FILE"] = Path.Combine(emulator.DataDirectory, "tls", "ca.pem"),
                ["KEY_FILE"] = key,
                ["ACCESS_TOKEN"] = Emulator.Pat,
                ["EXPECTED"] = expected,
            }
        );
        Assert.True(code == 0, $"{scenario} ended with {code}:\n{output[Math.Max(0, output.Length - 8000)..]}");

        var want = (await File.ReadAllLinesAsync(expected)).Select(Canonical).Order(StringComparer.Ordinal).ToList();
        var tables = ((JsonArray)(await emulator.GetAsync("/emulator/tables")).Json)
            .Select(t => $"{t!["database"]}.{t["schema"]}.{t["name"]}")
            .ToList();
        List<JsonNode> have = [];
        foreach (var table in tables)
            have.AddRange(await emulator.RowsAsync("?raw=1", Uri.EscapeDataString(table)));
        Assert.Equal(want, have.Select(row => Canonical(row.ToJsonString())).Order(StringComparer.Ordinal));
        // In a named channel rows keep their order.
        foreach (
            var channel in have.Where(r => ((string?)r["channel_id"]) is { } name && name != "elastic")
                .GroupBy(r => (string)r["channel_id"]!)
        )
            Assert.Equal(channel.Select(r => (long)r["stream_offset"]!).Order(), channel.Select(r => (long)r["stream_offset"]!));
        return emulator;
    }

    static string Canonical(string json) =>
        new JsonObject(
            ((JsonObject)JsonNode.Parse(json)!)
                .OrderBy(p => p.Key, StringComparer.Ordinal)
                .Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))
        ).ToJsonString();

    [SdkTheory]
    [InlineData("named")]
    [InlineData("offsets_and_reopen")]
    [InlineData("refused_rows")]
    [InlineData("fencing")]
    [InlineData("invalidated")]
    [InlineData("dropped_by_another")]
    [InlineData("odd_names")]
    [InlineData("eight_channels")]
    [InlineData("lost_replies")]
    [InlineData("answers_401")]
    [InlineData("answers_429")]
    [InlineData("answers_503")]
    [InlineData("faults_at_the_start")]
    [InlineData("access_token")]
    [InlineData("role")]
    [InlineData("elastic")]
    [InlineData("table_mode")]
    public async Task The_SDK_streams_as_to_Snowflake(string scenario)
    {
        await using var emulator = await RunAsync(scenario, Nothing);
    }

    [SdkTheory]
    [InlineData("reopened_with_uncommitted_rows")]
    public async Task The_SDK_waits_for_uncommitted_rows_when_it_reopens(string scenario)
    {
        await using var emulator = await RunAsync(scenario, settings => settings.CommitDelay = TimeSpan.FromSeconds(4));
    }

    [SdkTheory]
    [InlineData("short_tokens")]
    public async Task The_SDK_renews_tokens_of_five_seconds(string scenario)
    {
        await using var emulator = await RunAsync(scenario, settings => settings.TokenLifetime = TimeSpan.FromSeconds(5));
    }

    [SdkTheory]
    [InlineData("odd_objects")]
    public async Task The_SDK_finds_objects_with_odd_names(string scenario)
    {
        await using var emulator = await RunAsync(scenario, Nothing, OddSql);
    }

    [SdkTheory]
    [InlineData("burst")]
    [InlineData("burst_elastic")]
    [InlineData("burst_with_faults")]
    public async Task The_SDK_sends_a_burst_as_files(string scenario)
    {
        await using var emulator = await RunAsync(scenario, Nothing);

        Assert.NotEmpty(Directory.GetFiles(Path.Combine(emulator.DataDirectory, "stage", "used")));
        Assert.Empty(Directory.GetFiles(Path.Combine(emulator.DataDirectory, "stage"), "*.part"));
    }
}
