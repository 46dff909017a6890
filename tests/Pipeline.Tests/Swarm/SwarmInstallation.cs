using System.Globalization;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests.Swarm;

/// <summary>
/// Two cells, four agents and the stand-ins on three machines, made by the commands of docs/swarm.md. Disposing it ends all of it.
/// </summary>
sealed class SwarmInstallation : IAsyncDisposable
{
    public const int Cells = 2;

    const int DevicesOfACell = 2;
    const string Domain = "thermal.test";

    static readonly TimeSpan startCeiling = TimeSpan.FromMinutes(3);
    static readonly string[] services = ["keeper", "broker", "snowpipe-forwarder", "s3-forwarder"];
    static readonly string[] cellImages = ["thermalctl", "mosquitto", "snowpipe-forwarder", "s3-forwarder"];
    static readonly string[] managerImages = ["thermalctl", "sensor-agent", "snowflake"];

    readonly HttpClient http;
    readonly DocumentedSteps steps;
    readonly TakenReadings taken = new();
    readonly TempDirectory project = new();

    SwarmInstallation(SwarmMachines machines)
    {
        Machines = machines;
        http = machines.Manager.Machine.Client();
        Emulator = new Emulator(new Uri($"http://{machines.Manager.Address}:8090"), http);
        Bucket = new Bucket(new Uri($"http://{machines.Manager.Address}:4566"), "thermal-streaming", http);
        var map = new CellMap(Cells, new Dictionary<string, int>());
        Devices =
        [
            .. Enumerable
                .Range(1, 100)
                .Select(number => $"pi-{Text(number)}")
                .GroupBy(map.CellOf)
                .SelectMany(cell => cell.Take(DevicesOfACell).Select(device => new SwarmDevice(device, cell.Key))),
        ];
        steps = new DocumentedSteps(
            project.Path,
            new Dictionary<string, string>
            {
                ["DOCKER_HOST"] = machines.Manager.Host,
                ["IMAGES"] = "thermal-streaming",
                ["IMAGE_TAG"] = PipelineProject.ImageTag,
                ["LOCALSTACK_IMAGE"] = LocalstackImage,
                ["CELL_DOMAIN"] = Domain,
                ["CELLS"] = Text(Cells),
                ["CELL_0_ADDRESS"] = machines.Nodes[0].Address,
                ["CELL_1_ADDRESS"] = machines.Nodes[1].Address,
                ["AGENT_NODE"] = machines.Manager.Name,
            },
            new Dictionary<string, string>
            {
                ["deploy"] = "docker stack deploy --resolve-image never",
                ["node_0"] = machines.Nodes[0].Host,
                ["node_1"] = machines.Nodes[1].Host,
            }
        );
        CopyProject(project.Path);
    }

    public SwarmMachines Machines { get; }

    public IReadOnlyList<SwarmDevice> Devices { get; }

    public Emulator Emulator { get; }

    public Bucket Bucket { get; }

    static string LocalstackImage =>
        Environment.GetEnvironmentVariable("LOCALSTACK_IMAGE") is { Length: > 0 } set ? set : "localstack/localstack:4.14.0";

    public static async Task<SwarmInstallation> StartAsync()
    {
        await PipelineProject.BuildImagesAsync();
        var installation = new SwarmInstallation(await SwarmMachines.StartAsync());
        try
        {
            Progress.Say("  three engines are a swarm");
            await installation.BringImagesAsync();
            Progress.Say("  every node has its images");
            await installation.InstallAsync();
            return installation;
        }
        catch (Exception e)
        {
            var logs = await installation.LogsAsync();
            await installation.DisposeAsync();
            throw new InvalidOperationException($"The swarm did not start: {e.Message}\n{logs}", e);
        }
    }

    /// <summary>Deploys a cell, as for the first time or with another version.</summary>
    public Task DeployCellAsync(int cell, string? tag = null) =>
        steps.RunAsync(
            "To try it",
            new Dictionary<string, string> { ["CELL"] = Text(cell), ["IMAGE_TAG"] = tag ?? PipelineProject.ImageTag },
            block: 1
        );

    /// <summary>Gives a cell's images on its node another tag. One of them may be replaced by one that cannot start.</summary>
    public async Task TagImagesAsync(int cell, string tag, string? broken = null)
    {
        var node = Machines.Nodes[cell];
        foreach (var image in cellImages)
        {
            var (shipped, other) = (Image(image), $"thermal-streaming/{image}:{tag}");
            if (image != broken)
            {
                await node.AskAsync("tag", shipped, other);
                continue;
            }
            var container = await node.AskAsync("create", shipped);
            await node.AskAsync("commit", "--change", "ENTRYPOINT [\"/nothing-is-here\"]", container, other);
            await node.AskAsync("rm", container);
        }
    }

    /// <summary>Waits until a service of a cell says that its update is over, one way or the other.</summary>
    public async Task UpdatedAsync(int cell, string service, string state)
    {
        var now = "";
        await Until.TrueAsync(
            $"the update of {service} in cell {cell} is {state}",
            startCeiling,
            async () =>
            {
                const string Format = "{{with .UpdateStatus}}{{.State}}: {{.Message}}{{end}}";
                now = await Machines.Manager.AskAsync("service", "inspect", "--format", Format, Name(cell, service));
                return now.StartsWith(state + ":", StringComparison.Ordinal);
            },
            () => now
        );
    }

    /// <summary>The tag of the image that a service's container runs now.</summary>
    public async Task<string> RunningTagAsync(int cell, string service)
    {
        var container = await Machines.Nodes[cell].ContainerAsync(Name(cell, service)) ?? throw new IOException($"{service} does not run");
        return (await Machines.Nodes[cell].AskAsync("inspect", "--format", "{{.Config.Image}}", container)).Split(':')[^1];
    }

    public static IReadOnlyList<string> Services => services;

    /// <summary>Waits until these devices have so many more readings of each kind stored than now.</summary>
    public async Task MoreAsync(IEnumerable<SwarmDevice> devices, int more)
    {
        var wanted = devices.ToList();
        var before = await CountAsync();
        var few = "";
        await Until.TrueAsync(
            $"{more} more readings of each of {string.Join(", ", wanted.Select(device => device.Name))} are stored",
            startCeiling,
            async () =>
            {
                var now = await CountAsync();
                few = string.Join(
                    ", ",
                    from device in wanted
                    from kind in new[] { ReadingKind.Thermal, ReadingKind.Inverter }
                    let since = now.GetValueOrDefault((device.Name, kind)) - before.GetValueOrDefault((device.Name, kind))
                    where since < more
                    select $"{device.Name} {since} {kind}"
                );
                return few.Length == 0;
            },
            () => $"Since then: {few}."
        );
    }

    /// <summary>Kills an agent's container as it is, and notes what is in its outbox before Swarm starts another one.</summary>
    public async Task KillAgentAsync(SwarmDevice device)
    {
        var container = await Machines.Manager.ContainerAsync(AgentOf(device)) ?? throw new IOException($"{device.Name} does not run");
        await Machines.Manager.AskAsync("kill", "--signal", "KILL", container);
        await NoteOutboxAsync(device);
    }

    /// <summary>
    /// Stops the agents, in good order, and waits until nothing is under way; then each reading that they have taken is stored once, as it
    /// was, by the cell that the device's name says.
    /// </summary>
    public async Task ExpectExactlyOnceAsync(int atLeast)
    {
        foreach (var device in Devices)
            await Machines.Manager.AskAsync("service", "scale", "--detach", $"{AgentOf(device)}=0");
        foreach (var device in Devices)
        {
            await Until.TrueAsync(
                $"{device.Name} is stopped",
                startCeiling,
                async () => await Machines.Manager.ContainerAsync(AgentOf(device)) is null
            );
            await NoteOutboxAsync(device);
        }
        string[] names = [.. Devices.Select(device => device.Name)];
        Task<StoredReadings> Fetch() => StoredReadings.FetchAsync(Emulator, Bucket);
        await taken.ExpectStoredOnceAsync(names, atLeast, Fetch);
        await EmptyAsync();
        // What arrived twice may have come last.
        await taken.ExpectStoredOnceAsync(names, atLeast, Fetch);
        foreach (var row in await Emulator.RowsAsync())
        {
            var device = Devices.Single(device => device.Name == row.GetProperty("device_id").GetString());
            Assert.StartsWith($"THERMAL-CELL-{Text(device.Cell)}_", row.GetProperty("channel_id").GetString(), StringComparison.Ordinal);
        }
    }

    /// <summary>What the services and the engines say, for a failure.</summary>
    public async Task<string> LogsAsync()
    {
        var text = new List<string>();
        foreach (var node in Machines.Nodes)
        {
            text.Add($"---- the engine of {node.Name}\n{node.LastLines(15)}");
            var containers = await node.DockerAsync("ps", "--all", "--format", "{{.ID}} {{.Names}} {{.Status}}");
            text.Add(containers.Text);
            if (containers.ExitCode != 0)
                continue;
            foreach (var line in containers.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                text.Add($"---- {line}\n{(await node.DockerAsync("logs", "--tail", "30", line.Split(' ')[0])).Text}");
        }
        return string.Join('\n', text);
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        project.Dispose();
        await Machines.DisposeAsync();
    }

    Task BringImagesAsync() =>
        Task.WhenAll(
            SwarmMachines.BringAsync([.. Machines.Nodes.Take(Cells)], cellImages.Select(Image)),
            SwarmMachines.BringAsync([Machines.Manager], [.. managerImages.Select(Image), LocalstackImage])
        );

    async Task InstallAsync()
    {
        await steps.RunAsync("Swarm");
        await steps.RunAsync("To try it", block: 0);
        for (var cell = 0; cell < Cells; cell++)
            await DeployCellAsync(cell);
        for (var cell = 0; cell < Cells; cell++)
            await RunsAsync(cell);
        Progress.Say("  every service of the cells runs");
        await steps.RunAsync("Authorities");
        foreach (var device in Devices)
            await steps.RunAsync("A device", new Dictionary<string, string> { ["DEVICE_ID"] = device.Name });
        Progress.Say("  the agents are deployed");
        await Until.TrueAsync("the bucket is there", startCeiling, Bucket.IsReadyAsync);
    }

    /// <summary>Swarm counts a container when its health check has passed.</summary>
    async Task RunsAsync(int cell)
    {
        var now = "";
        await Until.TrueAsync(
            $"every service of cell {cell} runs",
            startCeiling,
            async () =>
            {
                now = await Machines.Manager.AskAsync("stack", "services", "--format", "{{.Name}} {{.Replicas}}", $"thermal-cell-{cell}");
                return now.Split('\n').Count(line => line.EndsWith(" 1/1", StringComparison.Ordinal)) == services.Length;
            },
            () => now
        );
    }

    /// <summary>Waits until no forwarder has anything left to deliver.</summary>
    async Task EmptyAsync()
    {
        for (var cell = 0; cell < Cells; cell++)
        {
            foreach (var service in services.Where(service => service.EndsWith("-forwarder", StringComparison.Ordinal)))
            {
                var answer = "";
                await Until.TrueAsync(
                    $"{service} of cell {cell} has delivered everything",
                    startCeiling,
                    async () =>
                    {
                        if (await Machines.Nodes[cell].ContainerAsync(Name(cell, service)) is not { } container)
                            return false;
                        answer = (await Machines.Nodes[cell].DockerAsync("exec", container, service, "status", "--json")).Text;
                        return answer.Contains("\"backlog\":0,", StringComparison.Ordinal);
                    },
                    () => answer
                );
            }
        }
    }

    async Task NoteOutboxAsync(SwarmDevice device)
    {
        // Exit code 1 means that something could not be read, such as the half record of a kill. What could be read is there.
        var export = await Machines.Manager.DockerAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "--read-only",
            "--tmpfs",
            "/tmp",
            "--volume",
            $"thermal-agent-{device.Name}_data:/data:ro",
            Image("sensor-agent"),
            "journal",
            "export"
        );
        Assert.True(export.ExitCode is 0 or 1, $"{export.Command}\nexit code {export.ExitCode}:\n{export.Text}");
        taken.Note(export.Output);
    }

    async Task<Dictionary<(string Device, ReadingKind Kind), int>> CountAsync()
    {
        var stored = await StoredReadings.FetchAsync(Emulator, Bucket);
        var counts = new Dictionary<(string, ReadingKind), int>();
        foreach (var (kind, arrived) in new[] { (ReadingKind.Thermal, stored.Thermal), (ReadingKind.Inverter, stored.Inverter) })
        {
            foreach (var ((device, _), sequences) in arrived.Rows)
                counts[(device, kind)] = counts.GetValueOrDefault((device, kind)) + sequences.Count;
        }
        return counts;
    }

    /// <summary>What the commands read, with the settings that a reader would edit.</summary>
    static void CopyProject(string project)
    {
        foreach (var directory in new[] { "deploy/swarm", "localstack/init/ready.d" })
        {
            Directory.CreateDirectory(Path.Combine(project, directory));
            foreach (var file in Directory.GetFiles(Path.Combine(PipelineProject.Root, directory)))
                File.Copy(file, Path.Combine(project, directory, Path.GetFileName(file)));
        }
        File.AppendAllText(
            Path.Combine(project, "deploy/swarm/agent.env"),
            "INTERVAL_SECONDS=1\nINVERTERS_NUM=4\nINVERTER_INTERVAL_SECONDS=2\nCLOCK_PATIENCE=0\n"
        );
    }

    static string AgentOf(SwarmDevice device) => $"thermal-agent-{device.Name}_sensor-agent";

    static string Name(int cell, string service) => $"thermal-cell-{Text(cell)}_{service}";

    static string Image(string name) => $"thermal-streaming/{name}:{PipelineProject.ImageTag}";

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
