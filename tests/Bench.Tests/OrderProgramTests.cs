using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Bench.Tests;

/// <summary>
/// The program <c>bench/run --order</c> in a process of its own, with made-up programs of the services, and a docker and a gcc that write down
/// what they were asked. Under the tracer, each service calls its method at 10 while it runs and that at 20 at its start, except the service
/// that <c>SILENT</c> names.
/// </summary>
public sealed class OrderProgramTests : IAsyncDisposable
{
    const string Down = "compose --progress quiet down --volumes";

    const string Docker = """
        #!/bin/sh
        echo "$*" >>asked
        case "$*" in
            *"up --detach --no-build")
                [ "$FAILS" != up ] || exit 1
                for service in sensor-agent snowpipe-forwarder s3-forwarder console; do
                    [ "$SILENT" = $service ] || printf '0 10\n1 20\n' >artifacts/order/called/$service
                done ;;
            *"up --detach --no-build --wait snowflake")
                echo "$COMPOSE_PROJECT_NAME $COMPOSE_FILE" >project
                [ -z "$WAITS" ] || { touch waits; sleep 600; } ;;
            "compose port "*) echo 127.0.0.1:$PORT ;;
            "compose ps "*) printf '%s\n' one two ;;
            "inspect "*) echo '127.0.0.250 ' ;;
            "compose exec "*) touch published ;;
            "wait "*) until [ -e published ]; do sleep 0.05; done ;;
            "compose logs "*) echo "its last words" ;;
        esac
        """;

    static readonly (string Service, string Program)[] services =
    [
        ("sensor-agent", "SensorAgent"),
        ("snowpipe-forwarder", "SnowpipeForwarder"),
        ("s3-forwarder", "S3Forwarder"),
        ("console", "Console"),
    ];

    readonly TempDirectory root = new();
    readonly WebApplication demo;

    public OrderProgramTests()
    {
        Write("bin/docker", Docker);
        Write("bin/gcc", "#!/bin/sh\necho \"gcc $*\" >>asked\n");
        Write("services/methods.order", "old\n");
        foreach (var (service, program) in services)
        {
            Write($"artifacts/order/{service}/ThermalStreaming.{program}.dbg", "");
            var methods = MadeUpElf.Program(("Shared", 0x10), ($"StartOf{program}", 0x20), ("NotCalled", 0x30));
            File.WriteAllBytes(root.File($"artifacts/order/{service}/ThermalStreaming.{program}"), methods);
        }
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        demo = builder.Build();
        demo.Run(call => call.Response.WriteAsync(call.Request.Path == "/emulator/ca.pem" ? "the authority" : ""));
        demo.StartAsync().GetAwaiter().GetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await demo.DisposeAsync();
        root.Dispose();
    }

    [Fact]
    public async Task The_list_is_made_from_what_the_services_call_and_the_demo_is_taken_down()
    {
        var (code, said) = await RunAsync("");

        Assert.True(code == 0, said);
        Assert.Equal(
            "Shared\nStartOfConsole\nStartOfS3Forwarder\nStartOfSensorAgent\nStartOfSnowpipeForwarder\n",
            Read("services/methods.order")
        );
        Assert.Contains("services/methods.order: 5 methods", said, StringComparison.Ordinal);
        Assert.Equal("0000000000000010\n0000000000000020\n0000000000000030\n", Read("artifacts/order/console.addresses"));
        Assert.Equal("the authority", Read("artifacts/order/ca.pem"));
        Assert.Equal("thermal-order compose.yaml:compose.override.yaml:bench/order/compose.yaml\n", Read("project"));
        Assert.StartsWith("gcc ", Asked[0], StringComparison.Ordinal);
        Assert.Contains("wait one two", Asked);
        Assert.Contains(
            Asked,
            asked => asked.EndsWith(" telemetry/v1/demo/thermal {\"temperature\": 21.5, \"humidity\": 40}", StringComparison.Ordinal)
        );
        Assert.Equal(Down, Asked[^1]);
    }

    [Fact]
    public async Task A_demo_that_does_not_start_is_taken_down_and_the_list_stays()
    {
        var (code, said) = await RunAsync("FAILS=up");

        Assert.True(code == 1, said);
        Assert.Contains(
            "failed: the demo does not start. Docker says why, above. To fix it: ./up makes the images, and ./up --down frees the demo's ports",
            said,
            StringComparison.Ordinal
        );
        Assert.Equal(("old\n", Down), (Read("services/methods.order"), Asked[^1]));
    }

    [Fact]
    public async Task A_service_of_which_nothing_was_seen_is_named_with_its_log()
    {
        var (code, said) = await RunAsync("SILENT=s3-forwarder");

        Assert.True(code == 1, said);
        Assert.Contains("its last words\nfailed: s3-forwarder ended too early.", said, StringComparison.Ordinal);
        Assert.Equal(("compose logs --tail 20 s3-forwarder", Down), (Asked[^2], Asked[^1]));
        Assert.Equal("old\n", Read("services/methods.order"));
    }

    [Fact]
    public async Task An_interrupted_run_takes_the_demo_down()
    {
        // Ctrl+C reaches everything that was started in the terminal.
        var (code, said) = await BashAsync(
            $"set -m; WAITS=yes {Program} --order --no-build & until [[ -e waits || ! -d /proc/$! ]]; do sleep 0.05; done; "
                + "kill -INT -- -$!; wait $!"
        );

        Assert.True(code == 130, said);
        Assert.Equal(("old\n", Down), (Read("services/methods.order"), Asked[^1]));
    }

    [Fact]
    public async Task A_missing_program_is_named_before_anything_starts()
    {
        File.Delete(root.File("artifacts/order/console/ThermalStreaming.Console"));

        var (code, said) = await RunAsync("");

        Assert.True(code == 1, said);
        Assert.Contains("failed: there is no program of console. ", said, StringComparison.Ordinal);
        Assert.False(File.Exists(root.File("asked")));
    }

    [Fact]
    public async Task Options_that_do_not_belong_to_it_are_refused()
    {
        var (code, said) = await BashAsync($"{Program} --short --order");

        Assert.Equal((2, "--short cannot be combined with --order; bench/run --order --help shows what does\n"), (code, said));
    }

    static string Program => $"dotnet '{Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.Bench.dll")}' \"$PWD\"";

    string[] Asked => Read("asked").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    Task<(int Code, string Said)> RunAsync(string environment) => BashAsync($"{environment} {Program} --order --no-build");

    /// <summary>Runs a line of bash in the made-up project.</summary>
    async Task<(int Code, string Said)> BashAsync(string line)
    {
        var port = new Uri(demo.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
        string[] words = ["-c", $"chmod u+x bin/*; export PORT={port} PATH=\"$PWD/bin:$PATH\"; {{ {line}; }} >said 2>&1"];
        using var process = Process.Start(new ProcessStartInfo("bash", words) { WorkingDirectory = root.Path })!;
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2), TimeProvider.System);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        return (process.ExitCode, Read("said"));
    }

    string Read(string path) => File.ReadAllText(root.File(path));

    void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(root.File(path))!);
        File.WriteAllText(root.File(path), text);
    }
}
