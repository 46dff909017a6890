using System.Xml;

namespace ThermalStreaming.Runner;

/// <summary>Runs one test project, shows what its long tests say meanwhile, and notes what came of it.</summary>
sealed class ProjectRun(TestRun run, Narrator narrator, Command command, TimeProvider clock)
{
    const int LongestLine = 4000;

    /// <summary>Exit code of a program that was ended by SIGKILL.</summary>
    const int Killed = 137;

    static readonly TimeSpan betweenLooks = TimeSpan.FromMilliseconds(200);

    /// <summary>Lines that only repeat the command.</summary>
    static readonly string[] noise = ["Test run for ", "VSTest version", "Starting test execution", "A total of ", "Results File: "];

    public async Task RunAsync(TestProject project, CancellationToken stop)
    {
        var started = clock.GetTimestamp();
        if (project.Filter is null)
            narrator.Step(project.Name);
        if (!File.Exists(project.Assembly))
        {
            run.AddFailure($"{project.Name} is not built ({project.Assembly} is missing)");
            narrator.Say("not built: ./test without --no-build");
            return;
        }
        File.Delete(ResultPath(project));
        var code = await ExecuteAsync(project, stop);
        Judge(project, code, clock.GetElapsedTime(started));
    }

    /// <summary>Notes the results of a project that ended with <paramref name="code"/> after <paramref name="took"/>.</summary>
    internal void Judge(TestProject project, int code, TimeSpan took)
    {
        var results = ReadResults(project);
        // timeout(1) kills what does not end by itself, and then ends with that code instead of its own.
        var isLate = code == Command.TimedOut || (code == Killed && took >= project.CeilingTime);
        // With a filter, most projects have nothing to run.
        if (project.Filter is not null && code == 0 && (results?.Total ?? 0) == 0)
            return;
        if (results is null)
        {
            Report(project);
            run.AddFailure(
                isLate
                    ? $"{project.Name} did not end within {project.Ceiling}"
                    : $"{project.Name} crashed or ran no test (exit code {code})"
            );
            return;
        }
        if (results.Total == 0)
        {
            run.AddFailure($"{project.Name} ran no test");
            narrator.Say("ran no test");
            return;
        }
        if (project.Filter is not null)
            narrator.Step(project.Name);
        run.AddPassed(results.Passed);
        var failures = 0;
        // Cut off or skipped: no test may fall through without being named.
        foreach (var test in results.NotPassed)
        {
            if (test is { Outcome: "NotExecuted", Reason.Length: > 0 })
            {
                run.AddSkipped($"{test.Name}: {test.Reason}");
                continue;
            }
            failures++;
            var name = test.Outcome == "Failed" ? test.Name : $"{test.Name} ({test.Outcome})";
            run.AddFailure(test.Reason.Length > 0 ? $"{name}: {test.Reason}" : name);
        }
        if (failures > 0 || code != 0)
            Report(project);
        if (failures == 0 && isLate)
            run.AddFailure($"{project.Name} did not end within {project.Ceiling}");
        else if (failures == 0 && code != 0)
            run.AddFailure($"{project.Name}: the test process ended with code {code} after its tests had passed");
        narrator.Say($"{results.Passed} of {results.Total} passed in {(long)took.TotalSeconds} s");
    }

    string ResultPath(TestProject project) => Path.Combine(run.Results, $"{project.Name}.trx");

    string LogPath(TestProject project) => Path.Combine(run.Results, $"{project.Name}.log");

    ResultFile? ReadResults(TestProject project)
    {
        try
        {
            return File.Exists(ResultPath(project)) ? ResultFile.Read(ResultPath(project)) : null;
        }
        catch (XmlException)
        {
            // Cut off while it was written: the project crashed.
            return null;
        }
    }

    /// <returns>The exit code; that of timeout(1) if the project took too long.</returns>
    async Task<int> ExecuteAsync(TestProject project, CancellationToken stop)
    {
        // A test project that takes longer hangs.
        string[] words =
        [
            "timeout",
            "--kill-after=60",
            project.Ceiling,
            "dotnet",
            "test",
            project.Assembly,
            "--nologo",
            "--results-directory",
            run.Results,
            "--logger",
            $"trx;LogFileName={project.Name}.trx",
            "--logger",
            "console;verbosity=minimal",
            .. project.Filter is null ? Array.Empty<string>() : ["--filter", project.Filter],
        ];
        using var log = File.CreateText(LogPath(project));
        var ended = command.FollowAsync(words, log.WriteLine, log.WriteLine, Timeout.InfiniteTimeSpan, stop);
        await FollowAsync(Environment.GetEnvironmentVariable("THERMAL_TEST_PROGRESS"), ended);
        return await ended;
    }

    /// <summary>Shows what long tests say of themselves (seeds, kills, sums), until the project has ended.</summary>
    internal async Task FollowAsync(string? progress, Task ended)
    {
        if (progress is null)
        {
            await ended;
            return;
        }
        File.WriteAllText(progress, "");
        using var reader = new StreamReader(new FileStream(progress, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var part = "";
        while (true)
        {
            var isLast = ended.IsCompleted;
            var lines = (part + await reader.ReadToEndAsync()).Split('\n');
            foreach (var line in lines[..^1])
                narrator.Say(line);
            // A line that is not whole yet.
            part = lines[^1];
            if (isLast)
                break;
            await Task.WhenAny(ended, Task.Delay(betweenLooks, clock));
        }
        if (part.Length > 0)
            narrator.Say(part);
        await ended;
    }

    /// <summary>What the tests said.</summary>
    void Report(TestProject project)
    {
        if (!File.Exists(LogPath(project)))
            return;
        foreach (var line in File.ReadLines(LogPath(project)))
        {
            if (line.Length > 0 && !noise.Any(start => line.StartsWith(start, StringComparison.Ordinal)))
                narrator.Say(line.Length > LongestLine ? line[..LongestLine] : line);
        }
    }
}
