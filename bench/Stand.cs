using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace ThermalStreaming.Bench;

/// <summary>The processes of a run, on loopback, with a directory of their own that goes with them.</summary>
sealed class Stand : IAsyncDisposable
{
    static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    /// <summary>As in the Dockerfile.</summary>
    static readonly Dictionary<string, string> ServiceEnvironment = new()
    {
        ["DOTNET_EnableDiagnostics"] = "0",
        ["ASPNETCORE_HTTP_PORTS"] = "",
    };

    readonly string root;
    readonly bool isCompiled;
    readonly string directory = Directory.CreateTempSubdirectory("thermal-bench-").FullName;
    readonly List<Process> processes = [];

    /// <param name="root">The repository.</param>
    /// <param name="isCompiled">Whether programs run as they were compiled natively, or as the build left them.</param>
    public Stand(string root, bool isCompiled = true)
    {
        this.root = root;
        this.isCompiled = isCompiled;
        // The Dockerfile is what users run; what it sets is what is measured.
        foreach (var line in File.ReadLines(Path.Combine(root, "Dockerfile")).Select(line => line.Trim().TrimEnd('\\').Trim()))
        {
            var setting = line.StartsWith("ENV ", StringComparison.Ordinal) ? line[4..] : line;
            if (
                (setting.StartsWith("DOTNET_", StringComparison.Ordinal) || setting.StartsWith("MALLOC_", StringComparison.Ordinal))
                && setting.IndexOf('=') is var equals and > 0
            )
                ServiceEnvironment[setting[..equals]] = setting[(equals + 1)..];
        }
    }

    public int BrokerPort { get; private set; }

    int emulatorPort;

    /// <summary>The broker's figures; only once it was started.</summary>
    public ProcessFigures Broker { get; private set; } = new(0);

    /// <summary>The emulator's address; only once it was started.</summary>
    public Uri Emulator => new($"http://127.0.0.1:{emulatorPort}");

    /// <summary>Settings by which a client reaches the emulator.</summary>
    public Dictionary<string, string?> SnowflakeSettings =>
        new()
        {
            ["SNOWFLAKE_ACCOUNT"] = "LOCAL-DEMO",
            ["SNOWFLAKE_USER"] = "THERMAL_STREAMING_USER",
            ["SNOWFLAKE_DATABASE"] = "DEMO",
            ["SNOWFLAKE_SCHEMA"] = "DEMO",
            ["SNOWFLAKE_PIPE"] = "THERMAL_SENSOR_PIPE",
            ["SNOWFLAKE_URL"] = $"http://127.0.0.1:{emulatorPort}",
            ["SNOWFLAKE_PRIVATE_KEY_FILE"] = Path.Combine(directory, "rsa_key.p8"),
        };

    /// <summary>Where everything of this run is.</summary>
    public string Place => directory;

    public async Task StartBrokerAsync()
    {
        BrokerPort = FreePort();
        var configuration = Path.Combine(directory, "mosquitto.conf");
        await File.WriteAllLinesAsync(
            configuration,
            [
                $"listener {BrokerPort} 127.0.0.1",
                "allow_anonymous true",
                "persistence false",
                "log_dest none",
                // Room for whatever a subscriber is behind; the window to a subscriber is what it asks for.
                "max_queued_messages 10000000",
                "max_queued_bytes 4000000000",
                "max_inflight_messages 1000",
                .. Environment.IsPrivilegedProcess ? ["user root"] : Array.Empty<string>(),
            ]
        );
        await StartBrokerAsync(configuration);
    }

    /// <summary>The broker as it is shipped, with a user for each simulated device.</summary>
    public async Task StartShippedBrokerAsync(ShippedBrokerFiles files)
    {
        BrokerPort = files.Port;
        await StartBrokerAsync(files.Configuration);
    }

    async Task StartBrokerAsync(string configuration)
    {
        var process = Start(File.Exists("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto", ["-c", configuration], []);
        Broker = new ProcessFigures(process.Id);
        await Until(() => process.HasExited ? throw new IOException("mosquitto ended") : Accepts(BrokerPort), "mosquitto does not listen");
    }

    /// <param name="commitDelay">From an append to its commit; Snowflake takes 5 to 10 s.</param>
    public async Task StartEmulatorAsync(string commitDelay = "1s")
    {
        emulatorPort = FreePort();
        var keys = Directory.CreateDirectory(Path.Combine(directory, "keys")).FullName;
        using var rsa = RSA.Create(2048);
        await File.WriteAllTextAsync(Path.Combine(directory, "rsa_key.p8"), rsa.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(Path.Combine(keys, "rsa_key.pub"), rsa.ExportSubjectPublicKeyInfoPem());
        Native(
            "snowflake",
            new()
            {
                ["EMULATOR_PORT"] = emulatorPort.ToString(CultureInfo.InvariantCulture),
                ["EMULATOR_DATA"] = Path.Combine(directory, "snowflake"),
                ["EMULATOR_SQL"] = Path.Combine(root, "sql/streaming"),
                ["EMULATOR_KEYS"] = keys,
                ["EMULATOR_COMMIT_DELAY"] = commitDelay,
                ["LOG_LEVEL"] = "Warning",
            }
        );
        await Until(() => Accepts(emulatorPort), "the emulator does not listen");
    }

    /// <summary>
    /// Starts a forwarder with an empty data directory of its own and waits until it is ready. One per stand: the session of an earlier one
    /// would keep its share of the messages.
    /// </summary>
    public async Task<RunningForwarder> StartForwarderAsync(int slots, params (string Key, string Value)[] settings)
    {
        var port = FreePort();
        var environment = new Dictionary<string, string>
        {
            ["HTTP_PORT"] = port.ToString(CultureInfo.InvariantCulture),
            ["DATA_DIRECTORY"] = Path.Combine(directory, $"forwarder-{port}"),
            ["SLOTS"] = slots.ToString(CultureInfo.InvariantCulture),
            ["MQTT_HOST"] = "127.0.0.1",
            ["MQTT_PORT"] = BrokerPort.ToString(CultureInfo.InvariantCulture),
            // It is made to fail, and says so.
            ["LOG_LEVEL"] = "Error",
        };
        foreach (var (key, value) in SnowflakeSettings)
            environment[key] = value!;
        foreach (var (key, value) in settings)
            environment[key] = value;
        Directory.CreateDirectory(environment["DATA_DIRECTORY"]);
        var forwarder = new RunningForwarder(Native("snowpipe-forwarder", environment), port, environment["DATA_DIRECTORY"]);
        await Until(forwarder.IsReadyAsync, "the forwarder does not become ready");
        return forwarder;
    }

    /// <summary>Runs the verb with which the container engine asks.</summary>
    public async Task HealthcheckAsync(int port)
    {
        var process = Native("snowpipe-forwarder", new() { ["HTTP_PORT"] = port.ToString(CultureInfo.InvariantCulture) }, "healthcheck");
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"healthcheck ended with code {process.ExitCode}");
    }

    /// <summary>From now on appends are answered with 503.</summary>
    public Task SnowflakeGoesAwayAsync() => FaultsAsync(HttpMethod.Post, "?kind=status&status=503&endpoint=append&seconds=600");

    public Task SnowflakeIsBackAsync() => FaultsAsync(HttpMethod.Delete, "");

    async Task FaultsAsync(HttpMethod method, string query)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(method, new Uri($"http://127.0.0.1:{emulatorPort}/emulator/faults{query}"));
        using var answer = await http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>A subscriber in .NET in a process of its own.</summary>
    /// <param name="client">The name of its class.</param>
    /// <param name="kind">The last part of its topics.</param>
    public Process StartSubscriber(string client, string kind)
    {
        var port = BrokerPort.ToString(CultureInfo.InvariantCulture);
        return Start("dotnet", [Environment.GetCommandLineArgs()[0], "subscribe", client, port, kind], ServiceEnvironment, talks: true);
    }

    /// <summary>
    /// mosquitto_sub, which prints an empty line for each message, and one for the retained message on <paramref name="readyTopic"/> when
    /// its
    /// subscriptions are granted.
    /// </summary>
    public Process StartMosquittoSubscriber(string kind, string readyTopic) =>
        Start(
            "mosquitto_sub",
            [
                "-h",
                "127.0.0.1",
                "-p",
                BrokerPort.ToString(CultureInfo.InvariantCulture),
                "-V",
                "5",
                "-i",
                "bench-mosquitto",
                "-q",
                "1",
                "-t",
                $"$share/bench/telemetry/v1/+/{kind}",
                "-t",
                readyTopic,
                "-F",
                "",
            ],
            [],
            talks: true
        );

    public static async Task Until(Func<Task<bool>> condition, string otherwise, TimeSpan? ceiling = null)
    {
        var clock = TimeProvider.System;
        var started = clock.GetTimestamp();
        while (!await condition())
        {
            if (clock.GetElapsedTime(started) > (ceiling ?? StartTimeout))
                throw new TimeoutException(otherwise);
            await Task.Delay(TimeSpan.FromMilliseconds(20), clock);
        }
    }

    Process Native(string program, Dictionary<string, string> settings, params string[] arguments) =>
        Start(
            isCompiled ? Path.Combine(root, "artifacts/native", program, program) : "dotnet",
            isCompiled ? arguments : [BuiltProgram(program), .. arguments],
            new Dictionary<string, string>([.. ServiceEnvironment, .. settings]),
            talks: arguments.Length > 0
        );

    Process Start(string program, string[] arguments, Dictionary<string, string> environment, bool talks = false)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = talks, RedirectStandardOutput = talks };
        foreach (var (key, value) in environment)
            start.Environment[key] = value;
        var process = Process.Start(start)!;
        processes.Add(process);
        return process;
    }

    static async Task<bool> Accepts(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>A program as the build left it.</summary>
    string BuiltProgram(string program)
    {
        var project = program == "snowflake" ? "SnowflakeEmulator" : "SnowpipeForwarder";
        return Path.Combine(root, $"artifacts/bin/{project}/debug/ThermalStreaming.{project}.dll");
    }

    /// <summary>
    /// A port that nobody uses, below those that the kernel gives to outgoing connections: before its use, one of those could take it.
    /// </summary>
    public static int FreePort()
    {
        while (true)
        {
            try
            {
                var port = Random.Shared.Next(20_000, 32_000);
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Another one, then.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
        {
            if (!process.HasExited)
                process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        Directory.Delete(directory, recursive: true);
    }
}
