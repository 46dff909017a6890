namespace ThermalStreaming.Runner.Tests;

/// <summary>However a run ends, <c>./test</c> says so in its last line: script and program as they are, what they call played.</summary>
public sealed class LastLineTests : IDisposable
{
    /// <summary>Takes the place of the program too: what it is to do comes from the environment.</summary>
    const string Dotnet = """
        #!/bin/sh
        case $1 in
            --version) echo 10.0.100 ;;
            *Runner.dll) echo "runs $*"; eval "$RUNNER" ;;
        esac
        """;

    readonly ScriptCopy copy = new("test", "offline/docker.sh");

    public LastLineTests() => copy.WriteScript("bin/docker", "#!/bin/sh\necho \"docker $*\" >>docker-calls\n");

    public void Dispose() => copy.Dispose();

    [Theory]
    [InlineData("echo '3 passed, 0 failed'", 0, "3 passed, 0 failed")]
    [InlineData("echo '3 passed, 1 failed'; exit 1", 1, "3 passed, 1 failed")]
    [InlineData("echo wrong; exit 2", 2, "wrong")]
    [InlineData("echo interrupted; exit 130", 130, "interrupted")]
    [InlineData("exit 134", 1, "0 passed, 1 failed")]
    [InlineData("kill -9 $$", 1, "0 passed, 1 failed")]
    public async Task The_script_has_the_last_word_where_the_program_has_none(string runner, int expected, string lastLine)
    {
        copy.WriteScript("bin/dotnet", Dotnet);

        var (code, text) = await copy.RunAsync($"RUNNER=\"{runner.Replace("$", "\\$", StringComparison.Ordinal)}\" ./test unit");

        Assert.Equal((expected, lastLine), (code, text.TrimEnd().Split('\n')[^1]));
        Assert.Contains("Runner.dll unit\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_script_that_has_nowhere_to_log_says_that_it_failed()
    {
        var (code, text) = await copy.RunAsync("touch artifacts; TMPDIR=/no/such ./test");

        Assert.Equal((1, "0 passed, 1 failed"), (code, text.TrimEnd().Split('\n')[^1]));
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task A_signal_that_the_script_gets_reaches_the_program(string signal)
    {
        copy.WriteScript("bin/dotnet", Dotnet);
        const string runner = "trap 'echo cleaned; exit 130' INT TERM HUP; kill -$SIGNAL $PPID; while :; do sleep 0.05; done";

        var (code, text) = await copy.RunAsync($"RUNNER=\"{runner.Replace("$", "\\$", StringComparison.Ordinal)}\" SIGNAL={signal} ./test");

        Assert.Equal((130, "cleaned"), (code, text.TrimEnd().Split('\n')[^1]));
    }

    [Fact]
    public async Task The_program_reads_what_the_script_was_given()
    {
        copy.WriteScript("bin/dotnet", Dotnet);

        var (code, text) = await copy.RunAsync("echo typed | RUNNER='read line; echo \"$line, 0 failed\"' ./test");

        Assert.Equal((0, "typed, 0 failed"), (code, text.TrimEnd().Split('\n')[^1]));
    }

    [Fact]
    public async Task An_exception_that_nobody_expected_ends_the_run_as_any_failure_does()
    {
        // Without the executable bit it cannot be started.
        var (code, text) = await copy.RunAsync($"chmod -x offline/docker.sh; {Program} pipeline --no-build");

        Assert.Equal((1, "0 passed, 1 failed"), (code, text.TrimEnd().Split('\n')[^1]));
        Assert.Matches("failed: the run could not continue. Win32Exception: .*offline/docker.sh.* To fix it: ", text);
        Assert.Contains("docker ps --all", await copy.ReadAsync("docker-calls"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Results_that_cannot_be_written_end_the_run_as_any_failure_does()
    {
        var (code, text) = await copy.RunAsync($"mkdir artifacts; touch artifacts/test-results; {Program} pipeline --no-build");

        Assert.Equal((1, "0 passed, 1 failed"), (code, text.TrimEnd().Split('\n')[^1]));
        Assert.Contains("failed: the run could not continue. IOException: ", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task A_run_that_is_asked_to_end_cleans_up(string signal)
    {
        copy.WriteScript("offline/docker.sh", $"#!/bin/sh\nkill -{signal} $PPID\nsleep 600\n");

        var (code, text) = await copy.RunAsync($"{Program} pipeline --no-build");

        Assert.Equal((130, "interrupted"), (code, text.TrimEnd().Split('\n')[^1]));
        Assert.Contains("docker ps --all", await copy.ReadAsync("docker-calls"), StringComparison.Ordinal);
    }

    static string Program => $"mkdir tests; env LOG_FILE=log dotnet '{typeof(WholeRun).Assembly.Location}'";
}
