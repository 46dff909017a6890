using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// The real compose project under a name and ports of its own, with the local stand-ins: what a user starts, with shorter times. It reads
/// no .env. Disposing it removes its containers, networks and volumes, and nothing else.
/// </summary>
sealed class PipelineProject : IAsyncDisposable
{
    public const string Agent = "sensor-agent";
    public const string SecondAgent = "sensor-agent-2";
    public const string Broker = "mosquitto";
    public const string SnowpipeForwarder = "snowpipe-forwarder";
    public const string S3Forwarder = "s3-forwarder";
    public const string Snowflake = "snowflake";
    public const string S3 = "localstack";

    static readonly TimeSpan startCeiling = TimeSpan.FromMinutes(3);
    static readonly string[] images = ["MOSQUITTO_IMAGE", "LOCALSTACK_IMAGE", "DOTNET_SDK_IMAGE", "DOTNET_RUNTIME_IMAGE"];
    static readonly SemaphoreSlim building = new(1);
    static readonly HashSet<string> built = [];
    static int projects;

    readonly Dictionary<string, string> environment;
    readonly string? extraFile;
    readonly string emptyEnvironmentFile = Path.GetTempFileName();
    readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(20) };

    PipelineProject(IReadOnlyDictionary<string, string> settings, string? extraFile, string[] services)
    {
        // ./test names the projects of its run, so that it can remove what a crash of this process leaves behind.
        var prefix = Environment.GetEnvironmentVariable("THERMAL_TEST_PROJECT") ?? $"thermal-test-{Environment.ProcessId}";
        Name = $"{prefix}-{Interlocked.Increment(ref projects)}";
        this.extraFile = extraFile;
        Services = services;
        MqttPort = Ports.Take();
        Emulator = new Emulator(new Uri($"http://127.0.0.1:{Ports.Take()}"), http);
        Bucket = new Bucket(new Uri($"http://127.0.0.1:{Ports.Take()}"), "thermal-test", http);
        PublisherPassword = Guid.NewGuid().ToString("N");
        environment = new Dictionary<string, string>
        {
            ["IMAGE_TAG"] = ImageTag,
            ["MQTT_PORT"] = Text(MqttPort),
            ["EMULATOR_PORT"] = Text(Emulator.Address.Port),
            ["EMULATOR_HTTPS_PORT"] = Text(Ports.Take()),
            ["LOCALSTACK_PORT"] = Text(Bucket.Address.Port),
            ["CONSOLE_PORT"] = Text(Ports.Take()),
            ["MQTT_PUBLISHER_PASSWORD"] = PublisherPassword,
            // The tests' devices have any name.
            ["MQTT_PUBLISHER_DEVICES"] = "+",
            // Shorter than REPLAY_WINDOW, as the shipped values are.
            ["MQTT_AUTOSAVE_SECONDS"] = "10",
            ["S3_BUCKET"] = Bucket.Name,
            ["EMULATOR_COMMIT_DELAY"] = "1s",
            ["DEVICE_ID"] = "agent-1",
            ["BATCH_SIZE"] = "10",
            ["INTERVAL_SECONDS"] = "1",
            ["INVERTERS_NUM"] = "8",
            ["INVERTER_INTERVAL_SECONDS"] = "2",
            ["REPLAY_WINDOW"] = "20s",
            ["MQTT_KEEP_ALIVE"] = "10s",
            ["SLOT_ADOPTION_GRACE"] = "5s",
            ["SLOT_DRAIN_QUIET"] = "2s",
            ["SNOWPIPE_BATCH_LINGER"] = "500ms",
            ["SNOWFLAKE_REQUEST_TIMEOUT"] = "8s",
            ["SNOWFLAKE_COMMIT_TIMEOUT"] = "10s",
            ["S3_BATCH_LINGER"] = "3s",
        };
        foreach (var image in images)
        {
            if (Environment.GetEnvironmentVariable(image) is { Length: > 0 } name)
                environment[image] = name;
        }
        foreach (var (key, value) in settings)
            environment[key] = value;
    }

    /// <summary>Where the compose files are.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>One per clone, so that two of them do not test each other's images.</summary>
    public static string ImageTag { get; } =
        "test-" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Root)))[..8];

    /// <summary>What was started; empty: everything.</summary>
    public IReadOnlyList<string> Services { get; }

    /// <summary>Name of the compose project.</summary>
    public string Name { get; }

    public int MqttPort { get; }

    /// <summary>Password of the broker's user <c>publisher</c>.</summary>
    public string PublisherPassword { get; }

    /// <summary>What .env would say.</summary>
    public IReadOnlyDictionary<string, string> Settings => environment;

    public Emulator Emulator { get; }

    public Bucket Bucket { get; }

    /// <summary>
    /// Builds the images (once per run of the tests), starts the services, and waits until each of them says that it is well.
    /// </summary>
    /// <param name="settings">What to set otherwise than these tests mostly do.</param>
    /// <param name="extraFile">A compose file beside these tests, on top of the others.</param>
    /// <param name="services">None: all.</param>
    public static async Task<PipelineProject> StartAsync(
        IReadOnlyDictionary<string, string>? settings = null,
        string? extraFile = null,
        params string[] services
    )
    {
        var project = new PipelineProject(settings ?? new Dictionary<string, string>(), extraFile, services);
        try
        {
            await project.BuildAsync();
            var started = TimeProvider.System.GetTimestamp();
            (await project.ComposeAsync(["up", "--detach", "--no-build", "--quiet-pull", .. services], startCeiling)).OrThrow();
            await project.ReadyAsync();
            Progress.Say(
                $"{project.Name}: every service is ready, {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0} s after its start"
            );
            return project;
        }
        catch (Exception e)
        {
            var logs = await project.LogsAsync();
            await project.DisposeAsync();
            throw new InvalidOperationException($"The project did not start: {e.Message}\n{logs}", e);
        }
    }

    /// <summary>Builds the images, once per run of the tests, and starts nothing.</summary>
    public static async Task BuildImagesAsync()
    {
        await using var project = new PipelineProject(new Dictionary<string, string>(), null, []);
        await project.BuildAsync();
    }

    public bool Has(string service) => Services.Count == 0 || Services.Contains(service);

    /// <summary>The forwarders among them.</summary>
    public IEnumerable<string> Forwarders => new[] { SnowpipeForwarder, S3Forwarder }.Where(Has);

    /// <summary>Compose with the files, the name and the settings of this project.</summary>
    public Task<CommandResult> ComposeAsync(
        IReadOnlyList<string> arguments,
        TimeSpan? ceiling = null,
        IReadOnlyDictionary<string, string>? changed = null
    )
    {
        var merged = new Dictionary<string, string>(environment);
        foreach (var (key, value) in changed ?? new Dictionary<string, string>())
            merged[key] = value;
        return Docker.TryAsync(
            [
                "compose",
                "--project-name",
                Name,
                "--project-directory",
                Root,
                "--env-file",
                emptyEnvironmentFile,
                "--ansi",
                "never",
                "--file",
                Path.Combine(Root, "compose.yaml"),
                "--file",
                Path.Combine(Root, "compose.override.yaml"),
                "--file",
                Path.Combine(Root, "tests", "Pipeline.Tests", "compose.tests.yaml"),
                .. extraFile is null ? [] : new[] { "--file", Path.Combine(Root, "tests", "Pipeline.Tests", extraFile) },
                .. arguments,
            ],
            merged,
            ceiling ?? TimeSpan.FromMinutes(2)
        );
    }

    /// <summary>Waits until every service that has one passes its own check.</summary>
    public Task ReadyAsync(TimeSpan? ceiling = null)
    {
        var unwell = "";
        return Until.TrueAsync(
            "every service is ready",
            ceiling ?? TimeSpan.FromMinutes(2),
            async () =>
            {
                var problems = new List<string>();
                foreach (var container in await ContainersAsync())
                {
                    if (container is { State: "exited", Service: "setup" or "demo-key" })
                        continue;
                    if (container.State != "running")
                        problems.Add($"{container.Service} is {container.State}");
                    else if (await UnwellAsync(container) is { } problem)
                        problems.Add($"{container.Service}: {problem}");
                }
                unwell = string.Join("; ", problems);
                return problems.Count == 0;
            },
            () => unwell
        );
    }

    /// <summary>
    /// SIGKILL to everything in a service's container (the <paramref name="index"/>th of its replicas), as at a power cut.
    /// </summary>
    public async Task KillAsync(string service, int index = 0) =>
        await Docker.RunAsync("kill", "--signal", "KILL", (await ReplicasAsync(service))[index].Id);

    /// <summary>Starts what was killed or stopped.</summary>
    public async Task StartServiceAsync(string service)
    {
        foreach (var container in await ReplicasAsync(service))
        {
            if (container.State != "running")
                await Docker.RunAsync("start", container.Id);
        }
    }

    /// <summary>A stop in good order, with the grace that the compose file gives.</summary>
    public async Task StopServiceAsync(string service) => (await ComposeAsync(["stop", service])).OrThrow();

    /// <summary>Freezes a service: its connections stay, and nothing answers.</summary>
    public async Task PauseAsync(string service) => await Docker.RunAsync("pause", (await ReplicasAsync(service))[0].Id);

    public async Task UnpauseAsync(string service) => await Docker.RunAsync("unpause", (await ReplicasAsync(service))[0].Id);

    /// <summary>Takes a service off the network, as when its cable is pulled.</summary>
    public async Task CutOffAsync(string service) =>
        await Docker.RunAsync("network", "disconnect", $"{Name}_default", (await ReplicasAsync(service))[0].Id);

    /// <summary>Plugs the cable in again.</summary>
    public async Task ReconnectAsync(string service) =>
        await Docker.RunAsync("network", "connect", "--alias", service, $"{Name}_default", (await ReplicasAsync(service))[0].Id);

    public async Task ScaleAsync(string service, int replicas) =>
        (
            await ComposeAsync(["up", "--detach", "--no-build", "--no-deps", "--no-recreate", "--scale", $"{service}={replicas}", service])
        ).OrThrow();

    /// <summary>Makes a service's container anew, with some settings changed.</summary>
    public async Task RecreateAsync(string service, IReadOnlyDictionary<string, string> changed)
    {
        (await ComposeAsync(["up", "--detach", "--no-build", "--no-deps", service], changed: changed)).OrThrow();
        await ReadyAsync();
    }

    /// <summary>Runs a verb of a service's own binary in its running container.</summary>
    public async Task<CommandResult> ExecuteAsync(string service, params string[] arguments) =>
        await Docker.TryAsync(
            ["exec", (await ReplicasAsync(service))[0].Id, service == SecondAgent ? Agent : service, .. arguments],
            null,
            TimeSpan.FromMinutes(1)
        );

    /// <summary>A file of a service's volume of credentials: what the service itself, or a thief, finds there.</summary>
    public async Task<string> CredentialAsync(string user, string file) =>
        await Docker.RunAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "--volume",
            $"{Name}_mqtt-{user}:/credentials:ro",
            $"thermal-streaming/mosquitto:{ImageTag}",
            "cat",
            $"/credentials/{file}"
        );

    /// <summary>Address of the machine as the containers see it.</summary>
    public async Task<IPAddress> GatewayAsync() =>
        IPAddress.Parse(await Docker.RunAsync("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", $"{Name}_default"));

    /// <summary>The figures that a service's replicas show at /status, one document each.</summary>
    /// <exception cref="HttpRequestException">One of them does not answer, or there is none.</exception>
    public async Task<IReadOnlyList<JsonElement>> StatusAsync(string service)
    {
        var answers = new List<JsonElement>();
        foreach (var container in await ReplicasAsync(service))
        {
            var (answer, text) = await AskAsync(container, "/status");
            if (answer is not { IsSuccessStatusCode: true })
                throw new HttpRequestException($"{service} {container.Number} does not show its status: {text}");
            using var document = JsonDocument.Parse(text);
            answers.Add(document.RootElement.Clone());
        }
        return answers.Count > 0 ? answers : throw new HttpRequestException($"There is no {service}.");
    }

    /// <summary>Sum of a figure over the replicas of a service.</summary>
    public async Task<long> FigureAsync(string service, string name) =>
        (await StatusAsync(service)).Sum(status =>
            status.TryGetProperty(name, out var value)
                ? value.GetInt64()
                : throw new InvalidOperationException($"{service} shows no figure '{name}': {status}")
        );

    /// <summary>States and last lines of log of every container.</summary>
    public async Task<string> LogsAsync(int lines = 120)
    {
        var states = await ComposeAsync(["ps", "--all"]);
        var logs = await ComposeAsync(["logs", "--no-color", "--timestamps", "--tail", Text(lines)]);
        return $"---- containers of {Name}\n{states.Text}\n---- their logs, {lines} lines each\n{logs.Text}";
    }

    public async ValueTask DisposeAsync()
    {
        await ComposeAsync(["--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "10"]);
        File.Delete(emptyEnvironmentFile);
        http.Dispose();
    }

    /// <summary>The containers of a service, in order of their number.</summary>
    public async Task<IReadOnlyList<ServiceContainer>> ReplicasAsync(string service) =>
        [.. (await ContainersAsync()).Where(container => container.Service == service).OrderBy(container => container.Number)];

    async Task BuildAsync()
    {
        await building.WaitAsync();
        try
        {
            // An extra file may take some images from elsewhere.
            if (built.Contains(extraFile ?? ""))
                return;
            var started = TimeProvider.System.GetTimestamp();
            Progress.Say("building the images");
            var build = await ComposeAsync(["--profile", "tools", "--progress", "plain", "build"], TimeSpan.FromMinutes(20));
            if (build.ExitCode != 0)
                throw new InvalidOperationException(
                    "The images could not be built. The last lines of "
                        + $"{build.Command}:\n{string.Join('\n', build.Text.Split('\n').TakeLast(40))}"
                );
            Progress.Say($"images built in {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0} s");
            built.Add(extraFile ?? "");
        }
        finally
        {
            building.Release();
        }
    }

    async Task<IReadOnlyList<ServiceContainer>> ContainersAsync()
    {
        const string Format =
            """{{.ID}} {{.Label "com.docker.compose.service"}} {{.Label "com.docker.compose.container-number"}} {{.State}}""";
        var list = await Docker.RunAsync(
            "ps",
            "--all",
            "--no-trunc",
            "--filter",
            $"label=com.docker.compose.project={Name}",
            "--filter",
            "label=com.docker.compose.oneoff=False",
            "--format",
            Format
        );
        return
        [
            .. list.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(' '))
                .Select(part => new ServiceContainer(part[0], part[1], int.Parse(part[2], CultureInfo.InvariantCulture), part[3])),
        ];
    }

    /// <summary>Null when the container is well; our services are asked at once, others have a health check that Docker runs.</summary>
    async Task<string?> UnwellAsync(ServiceContainer container)
    {
        switch (container.Service)
        {
            case Agent or SecondAgent or SnowpipeForwarder or S3Forwarder:
                var (answer, text) = await AskAsync(container, "/readyz");
                return answer is null ? text
                    : answer.IsSuccessStatusCode ? null
                    : string.Join(", ", text.Split('\n').Where(line => line.StartsWith("FAIL", StringComparison.Ordinal)));
            case Snowflake:
                await Emulator.TablesAsync();
                return null;
            case S3:
                return await Bucket.IsReadyAsync() ? null : "the bucket is not there yet";
            case Broker:
                using (var client = new TcpClient())
                {
                    try
                    {
                        await client.ConnectAsync(IPAddress.Loopback, MqttPort);
                        return null;
                    }
                    catch (SocketException e)
                    {
                        return e.Message;
                    }
                }
            default:
                return null;
        }
    }

    async Task<(HttpResponseMessage? Answer, string Text)> AskAsync(ServiceContainer container, string path)
    {
        // Services publish no port; on this machine the bridge leads to them.
        var address = await Docker.RunAsync(
            "inspect",
            "--format",
            "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}",
            container.Id
        );
        try
        {
            var answer = await http.GetAsync(new Uri($"http://{address.Split(' ')[0]}:8080{path}"));
            return (answer, await answer.Content.ReadAsStringAsync());
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or UriFormatException)
        {
            return (null, e.Message);
        }
    }

    static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "ThermalStreaming.slnx")))
                return directory.FullName;
        }
        throw new InvalidOperationException($"No directory above {AppContext.BaseDirectory} holds ThermalStreaming.slnx.");
    }

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// One container of a service: its id, the compose service, its number among the replicas, and Docker's word for its state.
/// </summary>
sealed record ServiceContainer(string Id, string Service, int Number, string State);
