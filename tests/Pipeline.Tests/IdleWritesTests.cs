using System.Globalization;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>What the storage and the memory of a Pi pay for a day on which nothing happens but readings.</summary>
/// <remarks>
/// Counted is <c>write_bytes</c> of /proc/PID/io: pages of 4 KiB that a process has made dirty. A page that is made dirty again after an
/// fsync counts again, as the storage writes it again. Not counted: Docker's logs, and the file system's own blocks (inodes, bitmaps, its
/// journal), which depend on the file system and on what else the machine does; where write_bytes has them (ext4 without a journal) they
/// are taken out. For root, who may read all that.
/// </remarks>
[Collection(nameof(IdleWritesTests))]
public sealed class IdleWritesTests(ITestOutputHelper output)
{
    const double MostMegabytesPerDay = 300;

    /// <summary>Long enough for the kernel's write-back, every 30 to 40 s, to show.</summary>
    static readonly TimeSpan Window = TimeSpan.FromMinutes(3);

    static readonly string[] production =
    [
        PipelineProject.Broker,
        "keeper",
        PipelineProject.Agent,
        PipelineProject.SnowpipeForwarder,
        PipelineProject.S3Forwarder,
    ];

    /// <summary>In MiB, the program's own pages of its file included. What services/methods.order and MemoryTrim are for.</summary>
    static readonly Dictionary<string, double> mostResident = new()
    {
        [PipelineProject.Agent] = 25,
        [PipelineProject.SnowpipeForwarder] = 28,
        [PipelineProject.S3Forwarder] = 32,
    };

    /// <summary>Empty: as shipped.</summary>
    static readonly Dictionary<string, string> shipped = new()
    {
        ["MQTT_AUTOSAVE_SECONDS"] = "",
        ["BATCH_SIZE"] = "",
        ["INTERVAL_SECONDS"] = "",
        ["INVERTERS_NUM"] = "",
        ["INVERTER_INTERVAL_SECONDS"] = "",
        ["MQTT_KEEP_ALIVE"] = "",
        ["SNOWPIPE_BATCH_LINGER"] = "",
        // With the stand-ins it is shorter.
        ["S3_BATCH_LINGER"] = "1m",
        // Shorter, so that the outbox's cursor moves within the test. Until the window has passed for the first time it is not written at
        // all.
        ["REPLAY_WINDOW"] = "20s",
    };

    [RootFact]
    public async Task All_containers_together_write_at_most_300_MB_a_day_at_the_default_settings_and_stay_small()
    {
        await using var project = await PipelineProject.StartAsync(
            shipped,
            services: [.. production, PipelineProject.Snowflake, PipelineProject.S3]
        );
        // The broker saves its state once soon after its start.
        await Until.TrueAsync(
            "readings of both kinds are sent, and the broker has saved its state",
            TimeSpan.FromMinutes(3),
            async () =>
                await project.FigureAsync(PipelineProject.SnowpipeForwarder, "sent") > 0
                && await project.FigureAsync(PipelineProject.S3Forwarder, "sent") > 0
                && await SaveBytesAsync(project) is not null
        );
        var processes = await ProcessesAsync(project);
        using var metadata = MetadataWrites.Start(processes.Values.SelectMany(each => each));

        var taken = await project.FigureAsync(PipelineProject.Agent, "readings_taken");
        var (before, started) = (Written(processes), TimeProvider.System.GetTimestamp());
        await Task.Delay(Window, TimeProvider.System);
        var (after, seconds) = (Written(processes), TimeProvider.System.GetElapsedTime(started).TotalSeconds);
        var ofFileSystem = await metadata.StopAsync() / seconds * 86_400 / 1e6;
        taken = await project.FigureAsync(PipelineProject.Agent, "readings_taken") - taken;

        var perDay = production.ToDictionary(service => service, service => (after[service] - before[service]) / seconds * 86_400 / 1e6);
        // 48 saves a day, none of them within the window.
        perDay[PipelineProject.Broker] += 48 * (await SaveBytesAsync(project))!.Value / 1e6;
        var together = perDay.Values.Sum() - ofFileSystem;
        var report = string.Create(
            CultureInfo.InvariantCulture,
            $"{together:0} MB a day: {string.Join(" + ", perDay.Select(each => $"{each.Key} {each.Value:0.0}"))} - blocks of the file "
                + $"system {ofFileSystem:0.0}"
        );
        output.WriteLine(report);
        Progress.Say(report);
        // Two thermal readings a second, and 60 of inverters every 20 s.
        Assert.InRange(taken / seconds, 4.5, 5.5);
        Assert.All(
            production.Except([PipelineProject.Broker, "keeper"]),
            service => Assert.True(perDay[service] > 10, $"{service} wrote next to nothing: {report}")
        );
        Assert.True(together <= MostMegabytesPerDay, report);

        var resident = mostResident.Keys.ToDictionary(service => service, service => processes[service].Max(ResidentMiB));
        report = string.Create(
            CultureInfo.InvariantCulture,
            $"MiB resident: {string.Join(", ", resident.Select(each => $"{each.Key} {each.Value:0.0}"))}"
        );
        output.WriteLine(report);
        Progress.Say(report);
        Assert.All(resident, each => Assert.True(each.Value is > 5 && each.Value <= mostResident[each.Key], report));
    }

    static async Task<Dictionary<string, List<int>>> ProcessesAsync(PipelineProject project)
    {
        var processes = new Dictionary<string, List<int>>();
        foreach (var service in production)
        {
            processes[service] = [];
            foreach (var container in await project.ReplicasAsync(service))
            {
                var lines = (await Docker.RunAsync("top", container.Id, "-eo", "pid")).Split('\n').Skip(1);
                processes[service].AddRange(lines.Select(line => int.Parse(line, CultureInfo.InvariantCulture)));
            }
        }
        return processes;
    }

    /// <summary>By service. A health check's process, which comes and goes and writes to memory only, may be gone by now.</summary>
    static Dictionary<string, long> Written(Dictionary<string, List<int>> processes) =>
        processes.ToDictionary(each => each.Key, each => each.Value.Sum(WrittenBy));

    static double ResidentMiB(int process) => Number(process, "status", "VmRSS:") / 1024.0;

    static long WrittenBy(int process) => Number(process, "io", "write_bytes:");

    /// <summary>A figure of the kernel about a process; 0 when it has ended.</summary>
    static long Number(int process, string file, string name)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/{file}").Single(line => line.StartsWith(name, StringComparison.Ordinal));
            return long.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return 0;
        }
    }

    /// <summary>Bytes of whole pages that the broker writes at each save; null before the first.</summary>
    static async Task<long?> SaveBytesAsync(PipelineProject project)
    {
        var broker = (await project.ReplicasAsync(PipelineProject.Broker))[0].Id;
        var stat = await Docker.TryAsync("exec", broker, "stat", "-c", "%s", "/mosquitto/data/mosquitto.db");
        return stat.ExitCode == 0 ? (long.Parse(stat.Output, CultureInfo.InvariantCulture) + 4095) / 4096 * 4096 : null;
    }
}

/// <summary>By itself: what else writes makes the kernel write pages back more often.</summary>
[CollectionDefinition(nameof(IdleWritesTests), DisableParallelization = true)]
public sealed class IdleWritesDefinition;
