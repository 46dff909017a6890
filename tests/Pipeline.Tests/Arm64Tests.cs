using static ThermalStreaming.Pipeline.Tests.PipelineProject;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>The services as a Pi runs them: images for arm64, on this machine's own processor or through qemu.</summary>
[Collection(nameof(Arm64Tests))]
[Trait("Category", "Arm64")]
public sealed class Arm64Tests(ITestOutputHelper output)
{
    [Arm64Fact]
    public async Task Every_reading_arrives_once_from_services_built_for_a_Pi_when_each_is_killed()
    {
        var settings = new Dictionary<string, string> { ["ARM64_IMAGE_TAG"] = Arm64FactAttribute.ImageTag! };
        await using var project = await PipelineProject.StartAsync(settings, "compose.arm64.yaml");

        await Scenario.RunAsync(
            project,
            output,
            "arm64: both roads, one kill of each service",
            async _ =>
            {
                foreach (var service in new[] { Agent, SnowpipeForwarder, S3Forwarder, Snowflake })
                    await ImageTests.ExpectSmallNativeImageAsync(project, service, "arm64");

                var agents = new AgentDelivery(project);
                await using var fleet = Fleet.Publish(project, "arm64");
                await Until.TrueAsync(
                    "rows and objects arrive",
                    TimeSpan.FromMinutes(2),
                    async () => (await project.ThermalRowsAsync()).Any() && (await project.InverterRowsAsync()).Any()
                );

                foreach (var service in new[] { Agent, SnowpipeForwarder, S3Forwarder, Snowflake })
                {
                    await fleet.MoreAsync(20);
                    await project.KillAsync(service);
                    await fleet.MoreAsync(20);
                    // What a dead agent has on its disk was taken, whether or not anybody has heard of it.
                    if (service == Agent)
                        await agents.NoteOutboxAsync(service);
                    await project.StartServiceAsync(service);
                    await project.ReadyAsync();
                    Progress.Say($"  killed {service}, which is ready again");
                }

                await project.ExpectExactlyOnceAsync([fleet], TimeSpan.FromMinutes(3));
                await agents.ExpectExactlyOnceAsync(atLeast: 50);
            }
        );
    }
}

/// <summary>By itself: an emulated processor is slow enough.</summary>
[CollectionDefinition(nameof(Arm64Tests), DisableParallelization = true)]
public sealed class Arm64TestsDefinition;
