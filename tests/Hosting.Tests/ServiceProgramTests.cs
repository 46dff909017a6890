using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Hosting.Tests;

/// <summary>Redirects the console, so its tests do not run beside each other.</summary>
[Collection("console")]
public sealed class ServiceProgramTests
{
    readonly int port = Ports.Take();

    [Fact]
    public async Task Bad_configuration_is_one_line_per_problem_and_exit_code_78()
    {
        var (code, _, error) = await RunAsync(
            [],
            Definition(settings =>
            {
                settings.Required("ONE", "", "set ONE.");
                settings.Required("TWO", "", "set TWO.");
            })
        );

        Assert.Equal(78, code);
        Assert.Equal(["config: ONE is not set; set ONE.", "config: TWO is not set; set TWO."], error.TrimEnd().Split(Environment.NewLine));
    }

    [Fact]
    public async Task A_caller_of_gRPC_that_was_cut_off_is_noticed_although_nothing_is_sent_to_it()
    {
        await using var app = ServiceHost.Build(
            Definition(_ => { }),
            new object(),
            port,
            ControlSettings.None,
            new LogSettings(Microsoft.Extensions.Logging.LogLevel.Information, Json: false),
            new ServiceRestart()
        );

        var limits = app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits.Http2;

        Assert.InRange(limits.KeepAlivePingDelay + limits.KeepAlivePingTimeout, TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_part_that_finds_the_configuration_impossible_while_it_runs_ends_with_78_too()
    {
        var (code, output, error) = await RunAsync(
            [],
            Definition(run: _ => throw new ConfigurationException(["DATA_DIRECTORY cannot be written."]))
        );

        Assert.Equal(78, code);
        Assert.Equal("config: DATA_DIRECTORY cannot be written.", error.Trim());
        Assert.Equal("", output.Trim());
    }

    [Fact]
    public async Task A_port_that_is_taken_is_a_setting_to_change()
    {
        using var other = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Any, port);
        other.Start();

        var (code, output, error) = await RunAsync([], Definition(run: _ => new TaskCompletionSource().Task));

        Assert.Equal(78, code);
        Assert.StartsWith(
            $"config: HTTP_PORT is {port}, and another program listens on that port (Address already in use); set HTTP_PORT to a free port",
            Assert.Single(error.TrimEnd().Split(Environment.NewLine)),
            StringComparison.Ordinal
        );
        Assert.Equal("", output.Trim());
    }

    [Fact]
    public void A_port_that_needs_privileges_and_the_right_one_of_two_are_named()
    {
        // Tests may run as root, who may listen on every port: what Kestrel throws is made here.
        var denied = ListenProblem.Of(
            new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.AccessDenied),
            ("EMULATOR_PORT", 8090),
            ("EMULATOR_HTTPS_PORT", 443)
        );
        var taken = ListenProblem.Of(
            new IOException(
                "Failed to bind to address https://[::]:8443: address already in use.",
                new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.AddressAlreadyInUse)
            ),
            ("EMULATOR_PORT", 8090),
            ("EMULATOR_HTTPS_PORT", 8443)
        );

        Assert.StartsWith("EMULATOR_HTTPS_PORT is 443, and user ", denied, StringComparison.Ordinal);
        Assert.EndsWith("set EMULATOR_HTTPS_PORT to a port from 1024 to 65535.", denied, StringComparison.Ordinal);
        Assert.StartsWith("EMULATOR_HTTPS_PORT is 8443, and another program listens", taken, StringComparison.Ordinal);
        Assert.Null(ListenProblem.Of(new IOException("No space left on device"), ("HTTP_PORT", 8080)));
    }

    [Fact]
    public async Task A_part_that_crashes_ends_the_process_with_1()
    {
        var (code, _, _) = await RunAsync([], Definition(run: _ => throw new InvalidOperationException("a defect")));

        Assert.Equal(1, code);
    }

    [Fact]
    public async Task Healthcheck_asks_the_running_service_and_shows_what_is_wrong()
    {
        var release = new TaskCompletionSource();
        Health? health = null;
        var serving = RunAsync(
            [],
            Definition(run: async provider =>
            {
                health = provider.GetRequiredService<Health>();
                health.Unwell("disk", "it is full");
                await release.Task;
                throw new InvalidOperationException("the test is over");
            }),
            capture: false
        );
        await ReachableAsync();

        var (bad, said, _) = await RunAsync(["healthcheck"], Definition());
        var (live, _, _) = await RunAsync(["healthcheck", "--live"], Definition());
        health!.Well("disk");
        var (good, _, _) = await RunAsync(["healthcheck"], Definition());
        var (_, status, _) = await RunAsync(["status", "--json"], Definition());
        release.SetResult();
        await serving;

        Assert.Equal((1, "FAIL disk: it is full"), (bad, said.Trim()));
        // It answers: a new container would not empty the disk.
        Assert.Equal(0, live);
        Assert.Equal(0, good);
        Assert.Contains("\"ready\":true", status, StringComparison.Ordinal);
    }

    /// <summary>Docker passes its own proxy to every container, in HTTP_PROXY.</summary>
    [Fact]
    public async Task Healthcheck_and_status_ask_no_proxy()
    {
        var release = new TaskCompletionSource();
        var serving = RunAsync([], Definition(run: _ => release.Task), capture: false);
        await ReachableAsync();
        var before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new DeadProxy(port);
        try
        {
            var (health, _, _) = await RunAsync(["healthcheck", "--live"], Definition());
            var (status, _, _) = await RunAsync(["status", "--json"], Definition());

            Assert.Equal((0, 0), (health, status));
            Assert.NotNull(await new RunningService(port).StatusAsync(TestContext.Current.CancellationToken));
        }
        finally
        {
            HttpClient.DefaultProxy = before;
            release.SetException(new InvalidOperationException("the test is over"));
            await serving;
        }
    }

    [Theory]
    [InlineData("healthcheck")]
    [InlineData("healthcheck", "--live")]
    public async Task Healthcheck_says_so_when_nothing_answers(params string[] words)
    {
        var (code, said, _) = await RunAsync(words, Definition());

        Assert.Equal(1, code);
        Assert.Contains("does not answer", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_lists_every_setting_with_its_default()
    {
        var (code, said, _) = await RunAsync(
            ["--help"],
            Definition(settings => settings.WholeNumber("BATCH_SIZE", 10, 1, 100, "Readings in a batch."))
        );

        Assert.Equal(0, code);
        Assert.Contains("BATCH_SIZE", said, StringComparison.Ordinal);
        Assert.Contains("Readings in a batch. [10]", said, StringComparison.Ordinal);
    }

    ServiceDefinition<object> Definition(Action<Settings>? load = null, Func<IServiceProvider, Task>? run = null) =>
        new()
        {
            Name = "test",
            Description = "A service for tests.",
            Sources = sources =>
                sources.AddInMemoryCollection([
                    KeyValuePair.Create("HTTP_PORT", (string?)$"{port}"),
                    KeyValuePair.Create("LOG_LEVEL", (string?)"Critical"),
                ]),
            Load = settings =>
            {
                load?.Invoke(settings);
                return new object();
            },
            Configure = (services, _) =>
            {
                if (run is not null)
                    services.AddSingleton<IHostedService>(provider => new Part(() => run(provider)));
            },
        };

    static async Task<(int Code, string Output, string Error)> RunAsync(
        string[] args,
        ServiceDefinition<object> definition,
        bool capture = true
    )
    {
        if (!capture)
            return (await ServiceProgram.RunAsync(args, definition), "", "");
        var (before, beforeError) = (Console.Out, Console.Error);
        using var output = new StringWriter();
        using var error = new StringWriter();
        Console.SetOut(output);
        Console.SetError(error);
        try
        {
            var code = await ServiceProgram.RunAsync(args, definition);
            return (code, output.ToString(), error.ToString());
        }
        finally
        {
            Console.SetOut(before);
            Console.SetError(beforeError);
        }
    }

    async Task ReachableAsync()
    {
        using var client = new HttpClient();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await client.GetAsync(new Uri($"http://127.0.0.1:{port}/readyz"));
                return;
            }
            catch (HttpRequestException) when (attempt < 200)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }

    sealed class Part(Func<Task> run) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            await run();
        }
    }
}
