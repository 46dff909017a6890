using System.Diagnostics;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>The scripts for shells, in the real shells.</summary>
public sealed class CompletionTests : IDisposable
{
    readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("dead-letters ''", "list show replay --help")]
    [InlineData("dead-l", "dead-letters")]
    [InlineData("dead-letters re", "replay")]
    [InlineData("tail --k", "--kind")]
    [InlineData("tail --kind ''", "inverter thermal")]
    [InlineData("completion ''", "bash fish zsh --help")]
    [InlineData("status --json dead", "")]
    [InlineData("set", "set")]
    [InlineData("wai", "")]
    public async Task Bash_completes_verbs_options_and_values(string typed, string expected)
    {
        var script = await ScriptAsync("bash");

        var answer = await RunAsync(
            "bash",
            "-c",
            $"source {script}; COMP_WORDS=(thermalctl {typed}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); _thermalctl; echo \"${{COMPREPLY[*]}}\""
        );

        Assert.Equal((expected, ""), (answer.Output.Trim(), answer.Error));
    }

    [Theory]
    [InlineData("dead-letters ", "list replay show")]
    [InlineData("dead-letters re", "replay")]
    [InlineData("tail --kind ", "inverter thermal")]
    [InlineData("tail --ki", "--kind")]
    [InlineData("completion ", "bash fish zsh")]
    public async Task Fish_completes_verbs_options_and_values(string typed, string expected)
    {
        var script = await ScriptAsync("fish");

        var answer = await RunAsync("fish", "--no-config", "-c", $"source {script}; complete -C 'thermalctl {typed}'");

        var words = answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')[0]);
        Assert.Equal((expected, ""), (string.Join(' ', words.Order(StringComparer.Ordinal)), answer.Error));
    }

    [Fact]
    public async Task Zsh_completes_verbs_options_and_values()
    {
        var script = await ScriptAsync("zsh");
        using var terminal = await Tmux.StartAsync(100, 30, "zsh", "-f");
        await terminal.TypeAsync($"PS1='ready> '; autoload -U compinit; compinit -u -D; source {script}; clear", "Enter");
        await terminal.UntilAsync(screen => screen.TrimEnd() == "ready>");

        await terminal.TypeAsync("thermalctl dead-l", "Tab");
        await terminal.UntilItShowsAsync("thermalctl dead-letters");
        await terminal.TypeAsync("rep", "Tab");
        await terminal.UntilItShowsAsync("thermalctl dead-letters replay");
        await terminal.TypeAsync("C-u");
        await terminal.TypeAsync("thermalctl tail --kin", "Tab", "inv", "Tab");
        await terminal.UntilItShowsAsync("thermalctl tail --kind inverter");
        await terminal.TypeAsync("C-u");
        await terminal.TypeAsync("thermalctl journal ", "Tab");
        var menu = await terminal.UntilItShowsAsync("verify");

        Assert.Contains("Checks every record of each journal", menu, StringComparison.Ordinal);
    }

    async Task<string> ScriptAsync(string shell)
    {
        var path = directory.File(shell);
        await File.WriteAllTextAsync(path, (await OperatorProcess.RunAsync("completion", shell)).OrThrow().Output);
        return path;
    }

    static async Task<ToolResult> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        return new ToolResult(process.ExitCode, await output, await errors);
    }
}
