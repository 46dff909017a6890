using ThermalStreaming.Readings;
using ThermalStreaming.Testing;
using static ThermalStreaming.Pipeline.Tests.PipelineProject;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>A forwarder whose disk is full, in a project of its own.</summary>
public sealed class FullDiskTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Every_reading_arrives_once_when_the_disk_fills_up_and_space_is_freed_again()
    {
        await using var project = await PipelineProject.StartAsync(
            new Dictionary<string, string> { ["JOURNAL_FREE_RESERVE"] = "0", ["JOURNAL_SEGMENT_BYTES"] = "256KiB" },
            "compose.small-disk.yaml",
            Broker,
            Snowflake,
            SnowpipeForwarder
        );

        await Scenario.RunAsync(
            project,
            output,
            "snowpipe-forwarder on 8 MiB that somebody else fills",
            async _ =>
            {
                await using var fleet = Fleet.Publish(
                    project,
                    "disk",
                    messagesPerSecond: 20,
                    readingsPerMessage: 10,
                    kinds: ReadingKind.Thermal
                );
                await fleet.MoreAsync(100);

                await FillAsync(project);
                await Until.TrueAsync(
                    "the forwarder says that its disk is full",
                    TimeSpan.FromSeconds(60),
                    async () => (await project.StatusAsync(SnowpipeForwarder)).Single().GetProperty("ready").GetBoolean() == false
                );
                Progress.Say($"  it says: {(await project.StatusAsync(SnowpipeForwarder)).Single().GetProperty("parts")}");
                await fleet.MoreAsync(200);
                await FreeAsync(project);
                await fleet.MoreAsync(100);

                await project.ExpectExactlyOnceAsync([fleet]);
            }
        );
        await Scenario.RunAsync(
            project,
            output,
            "snowpipe-forwarder on 8 MiB that it fills itself, while Snowflake is away",
            async _ =>
            {
                await using var fleet = Fleet.Publish(
                    project,
                    "journal",
                    messagesPerSecond: 60,
                    readingsPerMessage: 50,
                    kinds: ReadingKind.Thermal
                );
                await fleet.MoreAsync(100);

                await project.KillAsync(Snowflake);
                await Until.TrueAsync(
                    "the forwarder says that its journal or its disk is full",
                    TimeSpan.FromSeconds(90),
                    async () =>
                        (await project.StatusAsync(SnowpipeForwarder))
                            .Single()
                            .GetProperty("parts")
                            .EnumerateObject()
                            .Any(part => part.Name.StartsWith("journal", StringComparison.Ordinal) && part.Value.GetString() != "ok")
                );
                await fleet.MoreAsync(200);
                await project.StartServiceAsync(Snowflake);

                await project.ExpectExactlyOnceAsync([fleet]);
            }
        );
    }

    static async Task FillAsync(PipelineProject project) =>
        await ToolAsync(project, "dd if=/dev/zero of=/data/filler bs=64k 2>/dev/null; df -k /data");

    static async Task FreeAsync(PipelineProject project) => await ToolAsync(project, "rm /data/filler");

    // Our own images have no shell; the broker's has.
    static async Task ToolAsync(PipelineProject project, string script)
    {
        var image = await Docker.RunAsync("inspect", "--format", "{{.Config.Image}}", (await project.ReplicasAsync(Broker))[0].Id);
        await Docker.RunAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "--user",
            "1654:1654",
            "--volume",
            $"{project.Name}_snowpipe-forwarder-data:/data",
            "--entrypoint",
            "sh",
            image,
            "-c",
            script
        );
    }
}
