namespace ThermalStreaming.Runner;

/// <summary>One run of ./test, from what the tests need to the last line.</summary>
sealed class WholeRun
{
    /// <summary>Each project that takes longer, as timeout(1) writes it.</summary>
    const string Ceiling = "40m";

    readonly TestSelection selection;
    readonly TimeProvider clock;
    readonly Narrator narrator = new(Console.Out, Console.Error);
    readonly TestRun run = new(Path.GetFullPath("artifacts/test-results"));
    readonly Command command;
    readonly Machine machine;
    readonly Solution solution;
    readonly Containers containers;
    bool isDockerReady;

    public WholeRun(TestSelection selection, TimeProvider clock)
    {
        this.selection = selection;
        this.clock = clock;
        var project = $"thermal-test-{Environment.ProcessId}";
        Environment.SetEnvironmentVariable("THERMAL_TEST_PROJECT", project);
        Environment.SetEnvironmentVariable("THERMAL_TEST_PROGRESS", Path.Combine(run.Results, "progress.log"));
        command = new Command(Environment.GetEnvironmentVariable("LOG_FILE") ?? Path.Combine(run.Results, "test.log"), clock);
        machine = new Machine(command, narrator);
        solution = new Solution(run, command, narrator, clock);
        containers = new Containers(project, command, machine, narrator, clock);
    }

    /// <returns>The exit code: 0 all passed, 1 something failed.</returns>
    /// <exception cref="OperationCanceledException">It was interrupted.</exception>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        var isWhole = false;
        try
        {
            await TestAsync(stop);
            isWhole = true;
        }
        catch (RunEndedException e)
        {
            narrator.Fail(e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            // Whatever it is: a run ends with its last line.
            await TellAsync(e, "the run could not continue");
        }
        finally
        {
            await CleanUpAsync();
        }
        if (isWhole)
        {
            Summary.WriteCounts(run, Console.Out);
        }
        else
        {
            Summary.WriteNames(run, narrator);
            Summary.WriteAborted(run, Console.Out);
        }
        return isWhole && run.Failures.Count == 0 ? 0 : 1;
    }

    async Task CleanUpAsync()
    {
        if (!isDockerReady)
            return;
        try
        {
            await containers.RemoveLeftoversAsync();
            await containers.StopEngineAsync();
        }
        catch (Exception e)
        {
            await TellAsync(e, "containers of this run may be left (docker ps --all shows thermal-test-…)");
        }
    }

    async Task TellAsync(Exception e, string what)
    {
        narrator.Fail(
            $"{what}. {e.GetType().Name}: {e.Message.TrimEnd('.')}. To fix it: correct what this message names, then run this again"
        );
        await command.NoteAsync($"{e}\n");
    }

    async Task TestAsync(CancellationToken stop)
    {
        Directory.CreateDirectory(run.Results);
        var started = clock.GetTimestamp();
        if (selection.Scope != TestScope.Pipeline)
        {
            await machine.NeedMosquittoAsync(stop);
            await machine.NeedBrowserAsync(stop);
            await machine.NeedShellsAsync(stop);
            await machine.NeedPythonPackagesAsync(stop);
            await machine.NeedPrometheusAsync(stop);
            await machine.NeedForeignGrpcAsync(stop);
        }
        if (selection.IsBuilt)
            await solution.BuildAsync(selection.Scope, stop);
        else
            narrator.Say("not building: --no-build");
        if (selection.Scope is TestScope.Everything or TestScope.Unit)
        {
            await solution.CheckFormatAsync(stop);
            await solution.CheckPackagesAsync(stop);
        }
        foreach (var project in selection.Projects(TestProjects()))
            await RunAsync(project, stop);
        if (selection.Scope == TestScope.Matching)
        {
            // Docker only if a test with containers is meant.
            foreach (var project in TestSelection.WithDocker)
            {
                if (await HasMatchAsync(project, stop))
                    await RunAsync(project, stop);
            }
        }
        narrator.Step($"Result, after {clock.GetElapsedTime(started).TotalSeconds:0} s");
        Summary.Write(run, selection.Shown, narrator);
        if (selection.Scope == TestScope.Unit)
            narrator.Say("without Containers.Tests and Pipeline.Tests, which need containers");
    }

    async Task RunAsync(string project, CancellationToken stop)
    {
        if (TestSelection.WithDocker.Contains(project) && !isDockerReady)
        {
            isDockerReady = true;
            await machine.NeedNamespacesAsync(stop);
            await containers.ReadyAsync(selection.NeedsArm64, stop);
        }
        var ceiling = Environment.GetEnvironmentVariable("THERMAL_TEST_CEILING") ?? Ceiling;
        await new ProjectRun(run, narrator, command, clock).RunAsync(
            new TestProject(project, Solution.Assembly(project), ceiling, selection.Filter),
            stop
        );
    }

    /// <summary>Whether a test of the project matches the filter. One that cannot be asked is run: that shows why.</summary>
    async Task<bool> HasMatchAsync(string project, CancellationToken stop)
    {
        var answer = await command.AskAsync(
            ["dotnet", "test", Solution.Assembly(project), "--list-tests", "--nologo", "--filter", selection.Filter!],
            stop
        );
        return !answer.IsGood || answer.Output.Split('\n').Any(line => line.StartsWith("    ", StringComparison.Ordinal));
    }

    static IEnumerable<string> TestProjects() =>
        Directory.EnumerateDirectories("tests", "*.Tests").Select(directory => Path.GetFileName(directory));
}
