namespace ThermalStreaming.Pipeline.Tests;

/// <summary>One story that a test tells about a running project.</summary>
static class Scenario
{
    /// <summary>
    /// Runs it; when it fails, the test's output shows every container's log, and faults are taken back so that the next test can have its
    /// turn.
    /// </summary>
    public static async Task RunAsync(PipelineProject project, ITestOutputHelper output, string name, Func<PipelineProject, Task> scenario)
    {
        var started = TimeProvider.System.GetTimestamp();
        Progress.Say(name);
        try
        {
            await scenario(project);
            Progress.Say($"{name}: passed in {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0} s");
        }
        catch (Exception e)
        {
            Progress.Say($"{name}: FAILED: {e.Message.Split('\n')[0]}");
            output.WriteLine(await project.LogsAsync());
            await RepairAsync(project, output);
            throw;
        }
    }

    static async Task RepairAsync(PipelineProject project, ITestOutputHelper output)
    {
        try
        {
            await project.ComposeAsync(["unpause"]);
            (await project.ComposeAsync(["up", "--detach", "--no-build", .. project.Services])).OrThrow();
            if (project.Has(PipelineProject.Snowflake))
                await project.Emulator.HealAsync();
            await project.ReadyAsync();
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException or HttpRequestException)
        {
            output.WriteLine($"The project could not be repaired for the next test: {e.Message}");
        }
    }
}
