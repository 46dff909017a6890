using static ThermalStreaming.Pipeline.Tests.PipelineProject;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>Cables pulled for half a minute, between each pair of parts that talk to each other.</summary>
[Collection(nameof(WholePipeline))]
public sealed class NetworkTests(WholePipeline pipeline, ITestOutputHelper output)
{
    static readonly TimeSpan outage = TimeSpan.FromSeconds(30);

    [Fact]
    public Task Every_reading_arrives_once_when_agents_lose_the_broker_and_forwarders_lose_their_destinations() =>
        CutAsync("agents – broker, snowpipe-forwarder – Snowflake, s3-forwarder – S3", Agent, SecondAgent, Snowflake, S3);

    [Fact]
    public Task Every_reading_arrives_once_when_everybody_loses_the_broker() =>
        CutAsync("broker – agents, broker – snowpipe-forwarder, broker – s3-forwarder", Broker);

    Task CutAsync(string what, params string[] services) =>
        pipeline.ScenarioAsync(
            output,
            $"network cut for {outage.TotalSeconds} s: {what}",
            async project =>
            {
                await using var fleet = Fleet.Publish(project, "cut");
                await fleet.MoreAsync(50);

                foreach (var service in services)
                    await project.CutOffAsync(service);
                await Until.PauseAsync(outage);
                foreach (var service in services)
                    await project.ReconnectAsync(service);
                await fleet.MoreAsync(50);

                await project.ReadyAsync();
                await project.ExpectExactlyOnceAsync([fleet]);
                await new AgentDelivery(project).ExpectExactlyOnceAsync(atLeast: 20);
            }
        );
}
