using System.Diagnostics;
using System.Text.Json.Nodes;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>A client in another language, which knows nothing of this project, against classic Snowpipe's REST API.</summary>
public sealed class IngestClientTests : IDisposable
{
    // Debian's own, which ./test gives the packages that the client needs.
    const string Python = "/usr/bin/python3";

    readonly TempDirectory directory = new();

    [Fact]
    public async Task It_names_files_and_learns_what_became_of_them()
    {
        await using var stand = await LoaderStand.StartAsync();
        stand.Aws.Put(LoaderStand.Prefix + "good ü.json", "{\"a\":1}\n"u8.ToArray());
        stand.Aws.Put(LoaderStand.Prefix + "bad.json", "{\"a\":x}\n"u8.ToArray());

        var inserted = await RunAsync(stand, "insert", "good ü.json", "bad.json");
        JsonNode report;
        do
        {
            report = (await RunAsync(stand, "report"))["answer"]!;
        } while (report["files"]!.AsArray().Count < 2);
        var history = (await RunAsync(stand, "history", "2000-01-01T00:00:00.000000Z", "2100-01-01T00:00:00Z"))["answer"]!;

        Assert.Equal("success", (string?)inserted["answer"]!["status"]);
        foreach (var told in (JsonNode[])[report, history])
        {
            Assert.Equal(
                ["good ü.json LOADED", "bad.json LOAD_FAILED"],
                told["files"]!.AsArray().Select(file => $"{file!["path"]} {file["status"]}")
            );
        }
        Assert.Single(await stand.RowsAsync());
    }

    [Fact]
    public async Task Its_retries_get_it_through_troubles_and_load_nothing_twice()
    {
        await using var stand = await LoaderStand.StartAsync();
        stand.Aws.Put(LoaderStand.Prefix + "a.json", "{\"a\":1}\n"u8.ToArray());
        foreach (
            var fault in (string[])
                [
                    "\"kind\":\"status\",\"status\":503",
                    "\"kind\":\"status\",\"status\":408",
                    "\"kind\":\"lost_reply\"",
                    "\"kind\":\"abort\"",
                ]
        )
            await stand.Emulator.FaultAsync($"{{{fault},\"endpoint\":\"insert_files\"}}");

        var inserted = await RunAsync(stand, "insert", "a.json");
        JsonNode report;
        do
        {
            report = (await RunAsync(stand, "report"))["answer"]!;
        } while (report["files"]!.AsArray().Count == 0);

        Assert.Equal(4, (int)inserted["retries"]!);
        Assert.Single(report["files"]!.AsArray());
        Assert.Single(await stand.RowsAsync());
    }

    [Fact]
    public async Task It_is_told_in_JSON_that_there_is_no_such_pipe()
    {
        await using var stand = await LoaderStand.StartAsync();

        var told = await RunOnAsync(stand, "DEMO.DEMO.NO_PIPE", "report");

        Assert.Equal(404, (int)told["status"]!);
        Assert.False((bool)told["error"]!["success"]!);
    }

    Task<JsonNode> RunAsync(LoaderStand stand, string command, params string[] arguments) =>
        RunOnAsync(stand, "DEMO.DEMO.INVERTER_PIPE", command, arguments);

    async Task<JsonNode> RunOnAsync(LoaderStand stand, string pipe, string command, params string[] arguments)
    {
        var key = directory.File("key.pem");
        await File.WriteAllTextAsync(key, stand.Emulator.Key.ExportPkcs8PrivateKeyPem());
        var start = new ProcessStartInfo(
            Python,
            [
                Emulator.Find("tests/SnowflakeEmulator.Tests/Loading/ingest_client.py"),
                stand.Emulator.Base("http").AbsoluteUri.TrimEnd('/'),
                Emulator.Account,
                Emulator.User,
                key,
                pipe,
                command,
                .. arguments,
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        Assert.True(process.ExitCode == 0, $"{await error} (Debian: python3-jwt python3-requests python3-cryptography)");
        return JsonNode.Parse(output)!;
    }

    public void Dispose() => directory.Dispose();
}
