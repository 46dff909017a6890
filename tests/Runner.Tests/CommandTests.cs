using ThermalStreaming.Testing;

namespace ThermalStreaming.Runner.Tests;

/// <summary>How ./test runs other programs.</summary>
public sealed class CommandTests : IDisposable
{
    readonly TempDirectory directory = new();

    Command Command => new(directory.File("log"), TimeProvider.System);

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task What_a_program_says_is_given_and_logged()
    {
        var answer = await Command.AskAsync(["sh", "-c", "echo out; echo bad >&2; exit 3"], CancellationToken.None);

        Assert.Equal((3, "out\n", false), (answer.ExitCode, answer.Output, answer.IsGood));
        Assert.Contains(answer.LastLine, new[] { "out", "bad" });
        Assert.Equal(answer.Text, await File.ReadAllTextAsync(directory.File("log")));
    }

    [Fact]
    public async Task A_program_that_takes_too_long_is_killed_with_its_children()
    {
        var answer = await Command.AskAsync(
            ["sh", "-c", $"sh -c 'echo $$ >{directory.File("pid")}; sleep 600; true'; true"],
            TimeSpan.FromSeconds(5),
            CancellationToken.None
        );

        Assert.Equal(Command.TimedOut, answer.ExitCode);
        await AssertGoneAsync();
    }

    [Fact]
    public async Task An_interruption_kills_what_runs()
    {
        using var stop = new CancellationTokenSource();
        using var started = new FileSystemWatcher(directory.Path) { EnableRaisingEvents = true };
        var written = new TaskCompletionSource();
        started.Renamed += (_, _) => written.TrySetResult();
        var running = Command.AskAsync(
            ["sh", "-c", $"echo $$ >{directory.File("new")}; mv {directory.File("new")} {directory.File("pid")}; sleep 600; true"],
            stop.Token
        );
        await written.Task;

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await AssertGoneAsync();
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_an_answer()
    {
        var answer = await Command.AskAsync(["no-such-program-here"], CancellationToken.None);

        Assert.Equal(127, answer.ExitCode);
        Assert.Contains("no-such-program-here", answer.LastLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exception_of_who_takes_the_lines_is_that_of_the_call()
    {
        var taken = 0;

        var thrown = await Assert.ThrowsAsync<IOException>(() =>
            Command.FollowAsync(
                ["sh", "-c", "echo 1; echo 2; echo 3"],
                _ => throw new IOException($"No space left on device, {++taken}"),
                _ => { },
                Timeout.InfiniteTimeSpan,
                CancellationToken.None
            )
        );

        Assert.Equal("No space left on device, 1", thrown.Message);
    }

    [Fact]
    public async Task An_answer_that_cannot_be_logged_is_still_given()
    {
        var answer = await new Command(directory.Path, TimeProvider.System).AskAsync(["echo", "out"], CancellationToken.None);

        Assert.Equal((0, "out\n"), (answer.ExitCode, answer.Output));
    }

    async Task AssertGoneAsync()
    {
        var process = (await File.ReadAllTextAsync(directory.File("pid"))).Trim();
        var started = TimeProvider.System.GetTimestamp();
        // A killed process stays until its parent has looked.
        while (
            Directory.Exists($"/proc/{process}")
            && !File.ReadAllText($"/proc/{process}/status").Contains("zombie", StringComparison.Ordinal)
        )
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(20), $"process {process} still runs");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }
}
