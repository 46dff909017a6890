using System.Globalization;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests.Swarm;

/// <summary>
/// Three machines on one switch, all on this one: node-0 and node-1 for cells, node-2 for the manager, the agents and the stand-ins.
/// Disposing it ends their processes, and with these all that they had.
/// </summary>
sealed class SwarmMachines : IAsyncDisposable
{
    // Set aside for tests of network devices (RFC 2544): nobody's address.
    const string Network = "198.18.77.1";
    const string ControlGroups = "/sys/fs/cgroup";

    readonly Namespaces cable = new();
    readonly string group = $"thermal-test-swarm-{Environment.ProcessId}";

    SwarmMachines() =>
        Nodes = [
            .. Enumerable.Range(0, 3).Select(number => new SwarmNode($"node-{Text(number)}", $"{Network}{Text(number)}", $"/{group}")),
        ];

    public IReadOnlyList<SwarmNode> Nodes { get; }

    public SwarmNode Manager => Nodes[2];

    /// <summary>Starts them and joins them to a swarm.</summary>
    public static async Task<SwarmMachines> StartAsync()
    {
        var machines = new SwarmMachines();
        try
        {
            await machines.ConnectAsync();
            await Task.WhenAll(machines.Nodes.Select(node => node.StartAsync()));
            await machines.JoinAsync();
            return machines;
        }
        catch
        {
            await machines.DisposeAsync();
            throw;
        }
    }

    /// <summary>Pulls a node's cable out of the switch, or plugs it in again.</summary>
    public Task PlugAsync(SwarmNode node, bool isIn) => cable.IpAsync($"link set {PortOf(node)} {(isIn ? "up" : "down")}");

    /// <summary>Copies images of this machine's engine to some nodes.</summary>
    public static async Task BringAsync(IReadOnlyList<SwarmNode> nodes, IEnumerable<string> images)
    {
        var file = Path.Combine(nodes[0].Disk, "images.tar");
        await Docker.RunAsync(["save", "--output", file, .. images]);
        await Task.WhenAll(nodes.Select(node => node.AskAsync("load", "--input", file)));
        File.Delete(file);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
            node.Dispose();
        cable.Dispose();
        // The kernel lets go of the last process's groups a moment after its end.
        await Until.TrueAsync(
            $"the control groups {group} are removed",
            TimeSpan.FromSeconds(30),
            () =>
            {
                foreach (var hierarchy in Directory.GetDirectories(ControlGroups).Prepend(ControlGroups))
                    Remove(Path.Combine(hierarchy, group));
                return Task.FromResult(true);
            }
        );
    }

    /// <summary>A control group is a directory whose files are no obstacle.</summary>
    static void Remove(string directory)
    {
        if (!Directory.Exists(directory))
            return;
        foreach (var inner in Directory.GetDirectories(directory))
            Remove(inner);
        Directory.Delete(directory);
    }

    async Task ConnectAsync()
    {
        await cable.IpAsync("link add switch type bridge");
        await cable.IpAsync("link set switch up");
        foreach (var node in Nodes)
        {
            var port = PortOf(node);
            await cable.IpAsync($"link add {port} type veth peer name eth0 netns {node.Machine.Holder}");
            await cable.IpAsync($"link set {port} master switch up");
            await node.Machine.IpAsync("link set lo up");
            await node.Machine.IpAsync($"addr add {node.Address}/24 dev eth0");
            // No way out: an engine that looks for a registry is told so at once.
            await node.Machine.IpAsync("link set eth0 up");
        }
    }

    async Task JoinAsync()
    {
        await Manager.AskAsync("swarm", "init", "--advertise-addr", Manager.Address);
        var token = await Manager.AskAsync("swarm", "join-token", "--quiet", "worker");
        foreach (var node in Nodes.Except([Manager]))
            await node.AskAsync("swarm", "join", "--token", token, "--advertise-addr", node.Address, $"{Manager.Address}:2377");
    }

    static string PortOf(SwarmNode node) => $"port-{node.Name}";

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
