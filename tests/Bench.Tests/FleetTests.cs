using System.Diagnostics;
using System.Text.Json;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Bench.Tests;

/// <summary>The program <c>bench/fleet</c>, with the forwarder and the emulator as the build left them.</summary>
public sealed class FleetTests(ITestOutputHelper output) : IDisposable
{
    static readonly TimeSpan patience = TimeSpan.FromMinutes(3);

    readonly TempDirectory directory = new();

    [Fact]
    public async Task A_hundred_devices_are_measured_and_every_reading_is_stored_once()
    {
        var results = directory.File("results.json");

        var (code, said) = await RunAsync([
            "--only",
            "100",
            "--built",
            "--interval",
            "1",
            "--seconds",
            "3",
            "--outage",
            "1",
            "--commit-delay",
            "1",
            "--results",
            results,
        ]);

        output.WriteLine(said);
        Assert.Equal(0, code);
        using var document = JsonDocument.Parse(await File.ReadAllTextAsync(results));
        double Figure(string name) =>
            document
                .RootElement.GetProperty("figures")
                .EnumerateArray()
                .Single(figure => figure.GetProperty("name").GetString() == name)
                .GetProperty("devices")
                .GetProperty("100")
                .GetDouble();
        Assert.Equal(Figure("readings taken"), Figure("stored once"));
        Assert.True(Figure("readings taken") > 300, "fewer than 3 s of readings were taken");
        Assert.Equal(0, Figure("missing, repeated or foreign"));
        Assert.Equal((100, 100), (Figure("connections"), Figure("ledger: streams")));
        Assert.InRange(Figure("lag p50"), 0.5, 30);
        Assert.True(Figure("fsyncs a second") > 0);
    }

    [Theory]
    [InlineData("there is no option --frobnicate", "--frobnicate")]
    [InlineData("--only wants a number from 1 to 200000, not 'many'", "--only", "many")]
    public async Task What_it_does_not_understand_is_named(string message, params string[] arguments)
    {
        var (code, said) = await RunAsync(arguments);

        Assert.Equal(2, code);
        Assert.Contains(message, said, StringComparison.Ordinal);
    }

    public void Dispose() => directory.Dispose();

    static async Task<(int Code, string Said)> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(
                "dotnet",
                [Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.Bench.dll"), Root(), FleetProgram.Verb, .. arguments]
            )
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync()).WaitAsync(patience);
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(said));
    }

    static string Root()
    {
        var found = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(found, "ThermalStreaming.slnx")))
            found = Path.GetDirectoryName(found)!;
        return found;
    }
}
