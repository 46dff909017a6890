using Xunit.Abstractions;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>One project for all tests that leave it as they found it. Each uses devices of its own, so that none sees the other's readings.</summary>
public sealed class RunningPipeline : IAsyncLifetime
{
    PipelineProject? project;

    public async Task InitializeAsync() => project = await PipelineProject.StartAsync();

    public async Task DisposeAsync()
    {
        if (project is not null)
            await project.DisposeAsync();
    }

    internal Task ScenarioAsync(ITestOutputHelper output, string name, Func<PipelineProject, Task> scenario) => ScenarioAsync(project!, output, name, scenario);

    /// <summary>Runs a scenario; when it fails, the test's output shows every container's log, and faults are taken back so that the next test can have its turn.</summary>
    internal static async Task ScenarioAsync(PipelineProject project, ITestOutputHelper output, string name, Func<PipelineProject, Task> scenario)
    {
        var started = TimeProvider.System.GetTimestamp();
        Progress.Say(name);
        try
        {
            await scenario(project);
            Progress.Say($"  … {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0} s");
        }
        catch (Exception e)
        {
            Progress.Say($"  FAILED: {e.Message.Split('\n')[0]}");
            output.WriteLine(await project.LogsAsync());
            await RepairAsync(project, output);
            throw;
        }
    }

    static async Task RepairAsync(PipelineProject project, ITestOutputHelper output)
    {
        try
        {
            (await project.ComposeAsync(["unpause"])).ToString();
            (await project.ComposeAsync(["up", "--detach", "--no-build"])).OrThrow();
            await project.Emulator.HealAsync();
            await project.ReadyAsync();
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException or HttpRequestException)
        {
            output.WriteLine($"The project could not be repaired for the next test: {e.Message}");
        }
    }
}

[CollectionDefinition(nameof(RunningPipeline))]
public sealed class RunningPipelineDefinition : ICollectionFixture<RunningPipeline>;
