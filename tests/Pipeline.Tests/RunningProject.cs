// Projects of different collections run side by side: each has containers of its own, and mostly waits. The whole pipeline runs by itself.
[assembly: Xunit.v3.Parallelization(MaxThreads = 3)]

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// A project for all tests of a collection, which leave it as they found it. Each uses devices of its own, so that none sees another's
/// readings.
/// </summary>
public abstract class RunningProject(params string[] services) : IAsyncLifetime
{
    PipelineProject? project;

    public async ValueTask InitializeAsync() => project = await PipelineProject.StartAsync(services: services);

    public async ValueTask DisposeAsync()
    {
        if (project is not null)
            await project.DisposeAsync();
    }

    internal Task ScenarioAsync(ITestOutputHelper output, string name, Func<PipelineProject, Task> scenario) =>
        Scenario.RunAsync(project!, output, name, scenario);
}

/// <summary>Every service.</summary>
public sealed class WholePipeline() : RunningProject();

/// <summary>Broker, snowpipe-forwarder, Snowflake.</summary>
public sealed class ThermalRoad() : RunningProject(PipelineProject.Broker, PipelineProject.Snowflake, PipelineProject.SnowpipeForwarder);

/// <summary>Broker, s3-forwarder, S3, Snowflake.</summary>
public sealed class InverterRoad()
    : RunningProject(PipelineProject.Broker, PipelineProject.S3, PipelineProject.S3Forwarder, PipelineProject.Snowflake);

[CollectionDefinition(nameof(WholePipeline), DisableParallelization = true)]
public sealed class WholePipelineDefinition : ICollectionFixture<WholePipeline>;

[CollectionDefinition(nameof(ThermalRoad))]
public sealed class ThermalRoadDefinition : ICollectionFixture<ThermalRoad>;

[CollectionDefinition(nameof(InverterRoad))]
public sealed class InverterRoadDefinition : ICollectionFixture<InverterRoad>;
