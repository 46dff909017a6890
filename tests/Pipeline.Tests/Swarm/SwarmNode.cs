using System.Diagnostics;
using System.Globalization;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests.Swarm;

/// <summary>
/// A machine of a swarm: a Docker engine with namespaces of its own for network, processes, mounts and name. Its disk is memory, which
/// outlives a kill. The first of its processes ends when this one does, and the kernel ends all the others with it.
/// </summary>
/// <param name="name">Its host name.</param>
/// <param name="address">Its address on the cable.</param>
/// <param name="cgroups">The control group of its containers.</param>
sealed class SwarmNode(string name, string address, string cgroups) : IDisposable
{
    // A directory that every machine has, and nobody here sees what is mounted there.
    const string Mount = "/mnt";

    static readonly TimeSpan startCeiling = TimeSpan.FromMinutes(1);

    readonly Namespaces machine = new($"mount -t tmpfs -o mode=700 tmpfs {Mount} && mkdir {Mount}/run");

    Process? engine;
    string first = "";

    public string Name => name;

    public string Address => address;

    /// <summary>What is there while it is switched off too: its network and its disk.</summary>
    public Namespaces Machine => machine;

    /// <summary>Its disk, seen from outside.</summary>
    public string Disk => machine.Root + Mount;

    /// <summary>As DOCKER_HOST has it.</summary>
    public string Host => $"unix://{Disk}/socket";

    string LogFile => $"{Disk}/engine.log";

    /// <summary>Switches it on, and waits until the engine answers.</summary>
    public async Task StartAsync()
    {
        // As on any machine, what is under /run does not outlive it.
        const string Run = $"{Mount}/run";
        var script = $"""
            hostname {name}
            mount -t tmpfs tmpfs {Run}
            PATH=$PATH:/usr/sbin:/sbin
            dockerd --log-level warn --host unix://{Mount}/socket --data-root {Mount}/data --exec-root {Run} --pidfile {Run}/docker.pid \
                --cgroup-parent {cgroups} --exec-opt native.cgroupdriver=cgroupfs </dev/null >>{Mount}/engine.log 2>&1 &
            cat >/dev/null
            """;
        string[] words =
        [
            "--target",
            machine.Holder,
            "--net",
            "--mount",
            "unshare",
            "--mount",
            "--uts",
            "--pid",
            "--mount-proc",
            "--kill-child=KILL",
            "sh",
            "-c",
            script,
        ];
        engine = Process.Start(new ProcessStartInfo("nsenter", words) { RedirectStandardInput = true })!;
        await Until.TrueAsync(
            $"the engine of {name} answers",
            startCeiling,
            async () => (await DockerAsync("version")).ExitCode == 0,
            () => LastLines(10)
        );
        var parent = engine.Id.ToString(CultureInfo.InvariantCulture);
        first = (await File.ReadAllTextAsync($"/proc/{parent}/task/{parent}/children")).Trim();
    }

    /// <summary>As a power cut: every process of the machine is killed at once. Returns when the last one is gone.</summary>
    public async Task KillAsync()
    {
        engine!.Kill();
        await engine.WaitForExitAsync();
        await Until.TrueAsync(
            $"{name} is dead",
            startCeiling,
            () => Task.FromResult(first.Length == 0 || !Directory.Exists($"/proc/{first}"))
        );
        engine.Dispose();
        engine = null;
    }

    /// <summary>Runs docker against its engine.</summary>
    public Task<CommandResult> DockerAsync(params string[] arguments) => Docker.TryAsync(["--host", Host, .. arguments]);

    /// <summary>What docker printed.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public async Task<string> AskAsync(params string[] arguments) => (await DockerAsync(arguments)).OrThrow().Output.Trim();

    /// <summary>The running container of a service on this node; null if there is none.</summary>
    public async Task<string?> ContainerAsync(string service)
    {
        var found = await AskAsync("ps", "--quiet", "--filter", $"label=com.docker.swarm.service.name={service}");
        return found.Length == 0 ? null : found.Split('\n')[0];
    }

    /// <summary>The end of the engine's log.</summary>
    public string LastLines(int lines) => File.Exists(LogFile) ? string.Join('\n', File.ReadLines(LogFile).TakeLast(lines)) : "";

    public void Dispose()
    {
        if (engine is not null)
        {
            engine.Kill();
            engine.WaitForExit();
            engine.Dispose();
        }
        machine.Dispose();
    }
}
