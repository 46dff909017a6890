using System.Runtime.InteropServices;

namespace ThermalStreaming.Runner;

/// <summary>What the tests need of this machine beside .NET. What is missing is installed from Debian packages.</summary>
sealed class Machine(Command command, Narrator narrator)
{
    const string Broker = "mosquitto";
    const string Interpreters = "/proc/sys/fs/binfmt_misc";
    const string Qemu = $"{Interpreters}/qemu-aarch64";

    /// <summary>Debian packages, by the script that also installs Docker.</summary>
    public async Task InstallAsync(CancellationToken stop, params string[] packages)
    {
        if (await command.RunAsync(["offline/docker.sh", "install", .. packages], stop) != 0)
            throw new RunEndedException($"{string.Join(' ', packages)} could not be installed; the line above says why");
    }

    /// <summary>
    /// The tests start brokers of their own. The daemon that comes with the package is of no use, so one that we installed is switched
    /// off. One that was here before is left alone.
    /// </summary>
    public async Task NeedMosquittoAsync(CancellationToken stop)
    {
        var wasHere = Find(Broker) is not null;
        if (!wasHere || Find("mosquitto_pub") is null)
        {
            await InstallAsync(stop, Broker, "mosquitto-clients");
            if (!wasHere && Directory.Exists("/run/systemd/system"))
            {
                await RootAsync(stop, "systemctl", "disable", "--now", Broker);
            }
            else if (!wasHere)
            {
                await RootAsync(stop, "/etc/init.d/mosquitto", "stop");
                await RootAsync(stop, "update-rc.d", Broker, "disable");
            }
        }
        var version = (await command.AskAsync([Find(Broker) ?? Broker, "-h"], stop)).Text.Split('\n')[0];
        narrator.Say($"{version.Replace("version ", "", StringComparison.Ordinal)}{(wasHere ? "" : "; its own daemon is switched off")}");
    }

    /// <summary>
    /// Packages for Debian's own Python: the parser that the project's SQL files are tested with, and what a foreign client of Snowpipe's
    /// REST API is made of.
    /// </summary>
    public async Task NeedPythonPackagesAsync(CancellationToken stop)
    {
        if (!(await command.AskAsync(["/usr/bin/python3", "-c", "import sqlglot, jwt, requests, cryptography"], stop)).IsGood)
            await InstallAsync(stop, "python3-sqlglot", "python3-jwt", "python3-requests", "python3-cryptography");
    }

    /// <summary>The console's page is tested in a real browser, with an accessibility checker that npm fetches.</summary>
    public async Task NeedBrowserAsync(CancellationToken stop)
    {
        if (Find("chromium") is null)
            await InstallAsync(stop, "chromium");
        // Node's own packages bring npm along, and Debian's npm conflicts with them.
        if (Find("npm") is null)
            await InstallAsync(stop, "npm");
    }

    /// <summary>The terminal and the shells that the operator's program is tested in.</summary>
    public async Task NeedShellsAsync(CancellationToken stop)
    {
        string[] programs = ["tmux", "zsh", "fish"];
        if (programs.Any(program => Find(program) is null))
            await InstallAsync(stop, programs);
    }

    /// <summary>What makes the machines of a swarm out of namespaces. Docker is there, or comes later.</summary>
    public async Task NeedNamespacesAsync(CancellationToken stop)
    {
        if (Find("ip") is null || Find("iptables") is null || Find("nsenter") is null || Find("openssl") is null)
            await InstallAsync(stop, "iproute2", "iptables", "util-linux", "openssl");
    }

    /// <summary>Prometheus with its tool: alerts and metrics are checked with them. Its own daemon is of no use.</summary>
    public async Task NeedPrometheusAsync(CancellationToken stop)
    {
        if (Find("promtool") is not null && Find("prometheus") is not null)
            return;
        await InstallAsync(stop, "prometheus");
        if (Directory.Exists("/run/systemd/system"))
        {
            await RootAsync(stop, "systemctl", "disable", "--now", "prometheus", "prometheus-node-exporter");
        }
        else
        {
            await RootAsync(stop, "/etc/init.d/prometheus", "stop");
            await RootAsync(stop, "update-rc.d", "prometheus", "disable");
        }
    }

    /// <summary>A gRPC client that is not ours, for Debian's own Python.</summary>
    public async Task NeedForeignGrpcAsync(CancellationToken stop)
    {
        if (!(await command.AskAsync(["/usr/bin/python3", "-c", "import grpc, google.protobuf"], stop)).IsGood)
            await InstallAsync(stop, "python3-grpcio", "python3-protobuf");
    }

    /// <summary>Programs for arm64 run here: on such a machine, or through qemu, which the kernel calls for them (binfmt_misc).</summary>
    public async Task NeedArm64Async(CancellationToken stop)
    {
        const string Problem = "this machine cannot run programs for arm64";
        if (RuntimeInformation.OSArchitecture == Architecture.Arm64)
            return;
        if (
            !File.Exists($"{Interpreters}/register")
            && !(await RootAsync(stop, "mount", "-t", "binfmt_misc", "binfmt_misc", Interpreters)).IsGood
        )
        {
            throw new RunEndedException(
                Problem,
                "Its kernel does not offer binfmt_misc, which calls qemu",
                "run this on a machine that has it, or on one with an arm64 processor"
            );
        }
        if (!IsQemuRegistered())
        {
            await InstallAsync(stop, "qemu-user-static", "binfmt-support");
            await RootAsync(stop, "update-binfmts", "--enable", "qemu-aarch64");
        }
        if (!IsQemuRegistered())
        {
            throw new RunEndedException(
                Problem,
                $"qemu is not registered with the kernel: {Qemu} is missing or lacks the flag F",
                "install qemu-user-static and binfmt-support again, or run this on a machine with an arm64 processor"
            );
        }
        narrator.Say("programs for arm64 run through qemu");
    }

    /// <summary>Runs a program as root: directly, or with sudo, which may ask.</summary>
    public Task<CommandAnswer> RootAsync(CancellationToken stop, params string[] words) =>
        command.AskAsync(Environment.IsPrivilegedProcess ? words : ["sudo", .. words], stop);

    /// <summary>Where a program is; null if it is not. Debian's daemons are in a directory that a user's PATH lacks.</summary>
    static string? Find(string program) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin"
            .Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => Path.Combine(directory, program))
            .FirstOrDefault(File.Exists);

    // The flag F: the kernel opens qemu at once, so that it also works in containers.
    static bool IsQemuRegistered() =>
        File.Exists(Qemu) && File.ReadLines(Qemu).Any(line => line.StartsWith("flags:", StringComparison.Ordinal) && line.Contains('F'));
}
