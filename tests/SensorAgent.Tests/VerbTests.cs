using System.Diagnostics;
using System.Text.Json;
using ThermalStreaming.Journal;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class VerbTests : IDisposable
{
    readonly TempDirectory data = new();

    public void Dispose() => data.Dispose();

    async Task<(int Code, string Output, string Error)> RunAsync(string[] arguments, params (string Key, string Value)[] settings)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.SensorAgent.dll"), .. arguments]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in settings.Prepend(("DATA_DIRECTORY", data.Path)))
            start.Environment[key] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        return (process.ExitCode, await output, await error);
    }

    [Fact]
    public async Task Bad_settings_end_with_78_and_a_line_for_each()
    {
        var (code, _, error) = await RunAsync([], ("BATCH_SIZE", "many"), ("INVERTERS_NUM", "-3"));

        Assert.Equal(78, code);
        Assert.Equal(
            ["config: BATCH_SIZE is 'many'", "config: INVERTERS_NUM is '-3'"],
            error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(';')[0])
        );
    }

    [Fact]
    public async Task A_data_directory_that_cannot_be_used_ends_with_78_and_no_stack_trace()
    {
        var (code, output, error) = await RunAsync([], ("DATA_DIRECTORY", "/proc/nowhere"), ("HTTP_PORT", $"{Ports.Take()}"));

        Assert.Equal(78, code);
        Assert.Contains("config: DATA_DIRECTORY is '/proc/nowhere'", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output + error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_of_a_later_release_end_it_with_78_and_stay_as_they_are()
    {
        File.WriteAllBytes(data.File("format"), SmallFile.Seal($"{DataFormat.Current + 1}"));
        var before = File.ReadAllText(data.File("format"));

        var (code, _, error) = await RunAsync([], ("HTTP_PORT", $"{Ports.Take()}"), ("CLOCK_PATIENCE", "0"));

        Assert.Equal(78, code);
        Assert.Contains("A later release wrote them: run that one, or restore a backup", error, StringComparison.Ordinal);
        Assert.Equal(["format"], Directory.GetFileSystemEntries(data.Path).Select(Path.GetFileName));
        Assert.Equal(before, File.ReadAllText(data.File("format")));
    }

    [Fact]
    public async Task Check_finds_a_good_broker_and_a_missing_one()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        (string, string)[] settings =
        [
            ("MQTT_HOST", "127.0.0.1"),
            ("MQTT_PORT", $"{broker.Port}"),
            ("JOURNAL_FREE_RESERVE", "0"),
            ("JOURNAL_MAX_BYTES", "1MiB"),
        ];

        var good = await RunAsync(["check", "--json"], settings);
        broker.Kill();
        var bad = await RunAsync(["check", "--json"], settings);

        Assert.True(good.Code == 0, good.Output + good.Error);
        Assert.Equal(
            [
                "configuration",
                "data directory",
                "free space",
                "broker name",
                "broker port",
                "broker login",
                "broker publish",
                "sensors",
                "clock",
                "power",
                "system metrics",
                "network identity",
            ],
            JsonDocument.Parse(good.Output).RootElement.EnumerateArray().Select(step => step.GetProperty("name").GetString())
        );
        Assert.Equal(1, bad.Code);
        Assert.Equal(
            "failed",
            JsonDocument
                .Parse(bad.Output)
                .RootElement.EnumerateArray()
                .First(step => step.GetProperty("name").GetString() == "broker port")
                .GetProperty("outcome")
                .GetString()
        );
    }

    [Theory]
    [InlineData("list")]
    [InlineData("read")]
    [InlineData("calibrate --ppm 425")]
    public async Task Sensors_without_a_bus_say_what_is_missing(string verb)
    {
        var (code, _, error) = await RunAsync(["sensors", .. verb.Split(' ')], ("I2C_BUSES", "250"), ("HTTP_PORT", $"{Ports.Take()}"));

        Assert.Equal(1, code);
        Assert.Contains("/dev/i2c-250", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--ppm 30000", "--ppm must be 400 to 2000")]
    [InlineData("--ppm 425 --minutes 1", "--minutes must be 3 to 60")]
    public async Task Sensors_are_not_calibrated_to_anything(string arguments, string problem)
    {
        var (code, output, error) = await RunAsync(["sensors", "calibrate", .. arguments.Split(' ')], ("I2C_BUSES", "250"));

        Assert.NotEqual(0, code);
        Assert.Contains(problem, output + error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public async Task A_blank_data_directory_is_the_usual_one(string directory)
    {
        var (code, output, _) = await RunAsync(["journal", "--help"], ("DATA_DIRECTORY", directory));

        Assert.Equal(0, code);
        Assert.Contains("[default: /data/outbox]", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_outbox_can_be_verified_and_exported_while_the_agent_runs()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        broker.Kill();
        using var agent = new AgentProcess(data.Path, broker.Port, ("INVERTERS_NUM", "0"));
        await agent.StatusAsync(status => status.GetProperty("backlog").GetInt64() >= 10);

        var verify = await RunAsync(["journal", "verify"]);
        var export = await RunAsync(["journal", "export"]);

        Assert.True(verify.Code == 0, verify.Output + verify.Error);
        Assert.True(export.Code == 0, export.Output + export.Error);
        var rows = export
            .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        Assert.True(rows.Count >= 10);
        Assert.Equal(Enumerable.Range(1, rows.Count), rows.Select(row => row.GetProperty("sequence").GetInt32()));
        Assert.All(rows, row => Assert.Equal("pi", row.GetProperty("device_id").GetString()));
    }
}
