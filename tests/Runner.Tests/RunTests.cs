using ThermalStreaming.Testing;

namespace ThermalStreaming.Runner.Tests;

/// <summary>What ./test makes of the result files of test projects: no test may fall through without being named.</summary>
public sealed class RunTests : IDisposable
{
    static readonly TimeSpan took = TimeSpan.FromSeconds(12.9);

    readonly TempDirectory directory = new();
    readonly StringWriter output = new() { NewLine = "\n" };

    readonly Narrator narrator;
    readonly Command command;

    public RunTests()
    {
        Run = new TestRun(directory.Path);
        narrator = new Narrator(output, output);
        command = new Command(directory.File("test.log"), TimeProvider.System);
    }

    TestRun Run { get; }

    public void Dispose() => directory.Dispose();

    static string Trx(int total, int passed, string results) =>
        $"""
            <?xml version="1.0" encoding="utf-8"?>
            <TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>{results}</Results>
            <ResultSummary outcome="Failed"><Counters total="{total}" executed="{passed}" passed="{passed}" failed="0" /></ResultSummary></TestRun>
            """;

    static string Result(string name, string outcome, string message = "") =>
        $"<UnitTestResult testName=\"{name}\" "
        + $"{outcome}><Output><ErrorInfo><Message>{message}</Message><StackTrace>x</StackTrace></ErrorInfo></Output></UnitTestResult>";

    /// <summary>Judges a project that left this result file and log, and ended with this code.</summary>
    void Judge(string? trx, int code = 0, string? filter = null, string log = "", string ceiling = "40m")
    {
        if (trx is not null)
            File.WriteAllText(directory.File("A.Tests.trx"), trx);
        File.WriteAllText(directory.File("A.Tests.log"), log);
        new ProjectRun(Run, narrator, command, TimeProvider.System).Judge(new TestProject("A.Tests", "a.dll", ceiling, filter), code, took);
    }

    [Fact]
    public void Passed_tests_are_counted()
    {
        Judge(Trx(3, 3, Result("a", "outcome=\"Passed\"")));
        Judge(Trx(4, 4, ""));

        Assert.Equal((7, 0, 0), (Run.Passed, Run.Failures.Count, Run.Skipped.Count));
        Assert.Equal("    3 of 3 passed in 12 s\n    4 of 4 passed in 12 s\n", output.ToString());
        Assert.Equal("7 passed, 0 failed\n", Counts());
        Summary.Write(Run, null, narrator);
        Assert.Empty(Run.Failures);
    }

    [Fact]
    public void Failed_skipped_and_cut_off_tests_are_named_and_what_they_said_is_shown()
    {
        Judge(
            Trx(
                5,
                1,
                Result("N.Fails(a: &quot;&lt;1&gt;&quot;)", "outcome=\"Failed\"", "\n Assert.Equal() &amp; more\n second line")
                    + Result("N.Skipped", "outcome=\"NotExecuted\"", "needs root")
                    + Result("N.NotRun", "outcome=\"NotExecuted\"")
                    + Result("N.CutOff", "")
                    + Result("N.Passes", "outcome=\"Passed\"")
            ),
            code: 1,
            log: $"Test run for /x/a.dll\nVSTest version 18\n\n  Failed N.Fails\n{new string('x', 5000)}\nResults File: /x/a.trx\n"
        );

        Assert.Equal(
            ["N.Fails(a: \"<1>\"): Assert.Equal() & more second line", "N.NotRun (NotExecuted)", "N.CutOff (no outcome)"],
            Run.Failures
        );
        Assert.Equal(["N.Skipped: needs root"], Run.Skipped);
        Assert.Equal($"      Failed N.Fails\n    {new string('x', 4000)}\n    1 of 5 passed in 12 s\n", output.ToString());
        output.GetStringBuilder().Clear();
        Summary.Write(Run, null, narrator);
        Assert.Equal(
            "    SKIPPED N.Skipped: needs root\n    FAILED N.Fails(a: \"<1>\"): Assert.Equal() & more second line\n"
                + "    FAILED N.NotRun (NotExecuted)\n    FAILED N.CutOff (no outcome)\n",
            output.ToString()
        );
        Assert.Equal("1 passed, 3 failed\n", Counts());
    }

    [Fact]
    public void What_a_failed_test_says_is_cut_where_it_is_long()
    {
        Judge(Trx(1, 0, Result("N.Fails", "outcome=\"Failed\"", new string('x', 401))), code: 1);

        Assert.Equal([$"N.Fails: {new string('x', 400)}…"], Run.Failures);
    }

    [Theory]
    [InlineData(null, 134, "A.Tests crashed or ran no test (exit code 134)")]
    [InlineData(null, 124, "A.Tests did not end within 40m")]
    [InlineData("<TestRun><Results>", 134, "A.Tests crashed or ran no test (exit code 134)")]
    [InlineData("none", 0, "A.Tests ran no test")]
    [InlineData("all", 124, "A.Tests did not end within 40m")]
    [InlineData("all", 134, "A.Tests: the test process ended with code 134 after its tests had passed")]
    public void A_project_that_crashed_hung_or_ran_nothing_is_a_failure(string? trx, int code, string expected)
    {
        Judge(
            trx switch
            {
                "none" => Trx(0, 0, ""),
                "all" => Trx(2, 2, ""),
                _ => trx,
            },
            code
        );

        Assert.Equal([expected], Run.Failures);
        Assert.Equal(trx == "all" ? 2 : 0, Run.Passed);
    }

    [Theory]
    [InlineData("12s", "A.Tests did not end within 12s")]
    [InlineData("0.2m", "A.Tests did not end within 0.2m")]
    [InlineData("13", "A.Tests crashed or ran no test (exit code 137)")]
    [InlineData("1h", "A.Tests crashed or ran no test (exit code 137)")]
    [InlineData("0", "A.Tests crashed or ran no test (exit code 137)")]
    public void A_project_that_had_to_be_killed_at_its_ceiling_took_too_long(string ceiling, string expected)
    {
        Judge(null, code: 137, ceiling: ceiling);

        Assert.Equal([expected], Run.Failures);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("none")]
    public void With_a_filter_a_project_without_such_a_test_is_not_mentioned(string? trx)
    {
        Judge(trx is null ? null : Trx(0, 0, ""), filter: "FullyQualifiedName~X");

        Assert.Equal("", output.ToString());
        Assert.Empty(Run.Failures);
        Summary.Write(Run, "X", narrator);
        Assert.Equal(["no test has 'X' in its name"], Run.Failures);
    }

    [Fact]
    public void With_a_filter_a_crash_and_a_match_are_mentioned()
    {
        Judge(Trx(1, 1, ""), filter: "X");
        Judge(null, code: 0);
        File.Delete(directory.File("A.Tests.trx"));
        Judge(null, code: 1, filter: "X");

        Assert.StartsWith("==> A.Tests\n    1 of 1 passed in 12 s\n", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(["A.Tests crashed or ran no test (exit code 1)"], Run.Failures);
    }

    [Fact]
    public void A_run_that_could_not_go_on_has_one_failure_more()
    {
        Judge(Trx(3, 2, Result("N.Fails", "outcome=\"Failed\"", "x")), code: 1);
        output.GetStringBuilder().Clear();

        Summary.WriteNames(Run, narrator);
        Summary.WriteAborted(Run, output);

        Assert.Equal("    FAILED N.Fails: x\n2 passed, 2 failed\n", output.ToString());
    }

    [Fact]
    public async Task A_project_is_run_to_its_end_with_its_progress_shown()
    {
        var progress = directory.File("progress");
        var ended = new TaskCompletionSource();
        var following = new ProjectRun(Run, narrator, command, TimeProvider.System).FollowAsync(progress, ended.Task);
        await File.AppendAllTextAsync(progress, "seed 1\nhalf ");
        await File.AppendAllTextAsync(progress, "a line\nlast words");
        ended.SetResult();
        await following;

        Assert.Equal("    seed 1\n    half a line\n    last words\n", output.ToString());
    }

    [Fact]
    public async Task A_project_that_is_not_built_is_a_failure()
    {
        await new ProjectRun(Run, narrator, command, TimeProvider.System).RunAsync(
            new TestProject("A.Tests", directory.File("a.dll"), "40m", null),
            CancellationToken.None
        );

        Assert.Equal([$"A.Tests is not built ({directory.File("a.dll")} is missing)"], Run.Failures);
    }

    [Fact]
    public void Known_vulnerabilities_are_a_failure_that_names_package_and_advisory()
    {
        PackageList.Judge(
            Run,
            """{"version": 1, "projects": [{"path": "a.csproj"}, {"path": "b.csproj", "frameworks": [{"framework": "net10.0"}]}]}""",
            narrator
        );
        Assert.Equal("    no package has a known vulnerability\n", output.ToString());

        PackageList.Judge(
            Run,
            """
            {"projects": [{"frameworks": [{"topLevelPackages": [{"id": "Good", "resolvedVersion": "1"}],
              "transitivePackages": [{"id": "Bad", "vulnerabilities": [{"severity": "High", "advisoryurl": "https://example.org/1"}]}]}]}]}
            """,
            narrator
        );
        Assert.Equal(["packages with known vulnerabilities: Bad https://example.org/1"], Run.Failures);
    }

    [Theory]
    [InlineData("")]
    [InlineData("The list is not there: try again later.")]
    [InlineData("{\"version\": 1, ")]
    public void A_list_of_vulnerabilities_that_cannot_be_read_is_a_warning(string text)
    {
        PackageList.Judge(Run, text, narrator);

        Assert.StartsWith("    warning: vulnerabilities were not looked up: ", output.ToString(), StringComparison.Ordinal);
        Assert.Empty(Run.Failures);
    }

    string Counts()
    {
        using var line = new StringWriter { NewLine = "\n" };
        Summary.WriteCounts(Run, line);
        return line.ToString();
    }
}
