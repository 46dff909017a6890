using static ThermalStreaming.Pipeline.Tests.PipelineProject;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>More and fewer forwarders while readings are published.</summary>
[Collection(nameof(WholePipeline))]
public sealed class ScaleTests(WholePipeline pipeline, ITestOutputHelper output)
{
    static readonly int[] steps = [4, 2, 1];

    [Fact]
    public Task Every_reading_arrives_once_when_forwarders_are_scaled_from_1_to_4_to_2_to_1() =>
        pipeline.ScenarioAsync(
            output,
            "both forwarders from 1 to 4 to 2 to 1",
            async project =>
            {
                await using var fleet = Fleet.Publish(project, "scale", count: 3);
                await fleet.MoreAsync(50);

                foreach (var replicas in steps)
                {
                    await project.ScaleAsync(SnowpipeForwarder, replicas);
                    await project.ScaleAsync(S3Forwarder, replicas);
                    await project.ReadyAsync();
                    Progress.Say($"  {replicas} of each");
                    await fleet.MoreAsync(100);
                }

                // What the three that are gone held is delivered by the one that stayed, and their slots are no more.
                await fleet.StopAsync();
                await project.ExpectExactlyOnceAsync([fleet], TimeSpan.FromMinutes(2));
                foreach (var service in new[] { SnowpipeForwarder, S3Forwarder })
                    await Until.TrueAsync(
                        $"{service} owns one slot again",
                        TimeSpan.FromSeconds(60),
                        async () => (await project.StatusAsync(service)).Single().GetProperty("slots").GetArrayLength() == 1
                    );
                await new AgentDelivery(project).ExpectExactlyOnceAsync(atLeast: 20);
            }
        );

    [Fact]
    public Task Every_reading_arrives_once_when_replicas_are_killed_and_never_come_back() =>
        pipeline.ScenarioAsync(
            output,
            "three of each forwarder, two of them killed for good",
            async project =>
            {
                await using var fleet = Fleet.Publish(project, "orphans", count: 3);
                await project.ScaleAsync(SnowpipeForwarder, 3);
                await project.ScaleAsync(S3Forwarder, 3);
                await project.ReadyAsync();
                await fleet.MoreAsync(50);

                foreach (var service in new[] { SnowpipeForwarder, S3Forwarder })
                {
                    await project.KillAsync(service, index: 2);
                    await project.KillAsync(service, index: 0);
                }
                await fleet.MoreAsync(100);
                await project.ScaleAsync(SnowpipeForwarder, 1);
                await project.ScaleAsync(S3Forwarder, 1);
                await project.ReadyAsync();

                await project.ExpectExactlyOnceAsync([fleet], TimeSpan.FromMinutes(2));
                await new AgentDelivery(project).ExpectExactlyOnceAsync(atLeast: 20);
            }
        );
}
