using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests.Swarm;

/// <summary>Three Docker engines as a swarm, by the commands of docs/swarm.md, with faults that several machines have.</summary>
[Collection(nameof(SwarmTests))]
public sealed class SwarmTests(ITestOutputHelper output)
{
    /// <summary>Shorter than Swarm takes to miss a node.</summary>
    static readonly TimeSpan shortOutage = TimeSpan.FromSeconds(8);

    static readonly TimeSpan missedCeiling = TimeSpan.FromMinutes(1);

    [SwarmFact]
    public async Task Every_reading_arrives_once_while_nodes_die_and_cells_are_updated()
    {
        var started = TimeProvider.System.GetTimestamp();
        var (random, seed) = Seed.Next();
        Progress.Say($"a swarm of two cells (seed {seed}: THERMAL_TEST_SEED={seed} repeats it)");
        await using var swarm = await SwarmInstallation.StartAsync();
        try
        {
            await swarm.MoreAsync(swarm.Devices, 20);
            Progress.Say("  readings arrive");
            await KillNodeAsync(swarm, random);
            await CutNodeAsync(swarm);
            await UpdateAsync(swarm, random);
            await swarm.ExpectExactlyOnceAsync(atLeast: 50);
        }
        catch
        {
            output.WriteLine(await swarm.LogsAsync());
            throw;
        }
        Progress.Say($"a swarm of two cells: passed in {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0} s");
    }

    /// <summary>Cell 0's node loses its power, and an agent its container, while cell 1 works on.</summary>
    static async Task KillNodeAsync(SwarmInstallation swarm, Random random)
    {
        var node = swarm.Machines.Nodes[0];
        await Until.PauseAsync(TimeSpan.FromMilliseconds(random.Next(2000)));
        await node.KillAsync();
        Progress.Say($"  {node.Name} is killed, with everything on it");
        await swarm.KillAgentAsync(swarm.Devices.First(device => device.Cell == 0));
        await Task.WhenAll(swarm.MoreAsync(swarm.Devices.Where(device => device.Cell == 1), 10), Until.PauseAsync(shortOutage));
        await node.StartAsync();
        await swarm.MoreAsync(swarm.Devices, 10);
        Progress.Say($"  {node.Name} is back, and its cell delivers");
    }

    /// <summary>Cell 1's node cannot be reached until Swarm takes it for lost; its containers run all the while.</summary>
    static async Task CutNodeAsync(SwarmInstallation swarm)
    {
        var node = swarm.Machines.Nodes[1];
        await swarm.Machines.PlugAsync(node, isIn: false);
        Progress.Say($"  {node.Name} is cut off");
        await swarm.MoreAsync(swarm.Devices.Where(device => device.Cell == 0), 10);
        await Until.TrueAsync(
            $"Swarm misses {node.Name}",
            missedCeiling,
            async () => await swarm.Machines.Manager.AskAsync("node", "inspect", "--format", "{{.Status.State}}", node.Name) == "down"
        );
        await swarm.Machines.PlugAsync(node, isIn: true);
        await swarm.MoreAsync(swarm.Devices, 10);
        Progress.Say($"  {node.Name} can be reached again, and its cell delivers");
    }

    /// <summary>Cell 0 gets a new version in full flow; that of cell 1 has a program that cannot start, which goes back.</summary>
    static async Task UpdateAsync(SwarmInstallation swarm, Random random)
    {
        const string Broken = "snowpipe-forwarder";
        await swarm.TagImagesAsync(0, "next");
        await swarm.TagImagesAsync(1, "next", Broken);
        await Until.PauseAsync(TimeSpan.FromMilliseconds(random.Next(2000)));
        await swarm.DeployCellAsync(0, "next");
        await swarm.DeployCellAsync(1, "next");
        foreach (var service in SwarmInstallation.Services)
        {
            await swarm.UpdatedAsync(0, service, "completed");
            Assert.Equal("next", await swarm.RunningTagAsync(0, service));
            await swarm.UpdatedAsync(1, service, service == Broken ? "rollback_completed" : "completed");
            Assert.Equal(service == Broken ? PipelineProject.ImageTag : "next", await swarm.RunningTagAsync(1, service));
        }
        await swarm.MoreAsync(swarm.Devices, 10);
        Progress.Say("  cell 0 is updated; the update of cell 1 went back where it could not start");
    }
}

/// <summary>The three engines need the machine for themselves.</summary>
[CollectionDefinition(nameof(SwarmTests), DisableParallelization = true)]
public sealed class SwarmTestsDefinition;
