using System.Text.Json;
using Spectre.Console;

namespace ThermalStreaming.Hosting.Tests;

public sealed class CheckListTests
{
    static readonly CheckStep[] Steps =
    [
        new("first", _ => Task.FromResult(CheckResult.Ok("fine"))),
        new("second", _ => Task.FromResult(CheckResult.Failed("no [answer]", "It is off.", "Switch it on."))),
        new("third", _ => throw new InvalidOperationException("must not run"), "second"),
        new("fourth", _ => throw new InvalidOperationException("not foreseen")),
        new("fifth", _ => Task.FromResult(CheckResult.Warning("slow", "Load.", "Wait."))),
    ];

    [Fact]
    public async Task Prints_each_step_with_cause_and_fix_and_leaves_out_what_cannot_work()
    {
        var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 200;

        var code = await CheckList.RunAsync(Steps, json: false, console, Stream.Null, TimeProvider.System, CancellationToken.None);

        var text = output.ToString();
        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains("✓ first", text, StringComparison.Ordinal);
        Assert.Contains("✗ second                 no [answer]", text, StringComparison.Ordinal);
        Assert.Contains("cause: It is off.", text, StringComparison.Ordinal);
        Assert.Contains("Switch it on.", text, StringComparison.Ordinal);
        Assert.Contains("- third                  not tried: needs 'second'", text, StringComparison.Ordinal);
        Assert.Contains("✗ fourth                 not foreseen", text, StringComparison.Ordinal);
        Assert.Contains("! fifth", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Into_a_pipe_a_finding_is_one_line_without_colours_whatever_the_terminal_is()
    {
        var output = new StringWriter();
        var terminal = Environment.GetEnvironmentVariable("TERM");
        Environment.SetEnvironmentVariable("TERM", "xterm-256color");
        try
        {
            var console = CheckList.ConsoleFor(output, isTerminal: false);
            await CheckList.RunAsync(
                [new("first", _ => Task.FromResult(CheckResult.Failed(new string('x', 500), "It is off.", "Switch it on.")))],
                json: false,
                console,
                Stream.Null,
                TimeProvider.System,
                CancellationToken.None
            );
        }
        finally
        {
            Environment.SetEnvironmentVariable("TERM", terminal);
        }

        Assert.DoesNotContain('\x1b', output.ToString());
        Assert.Equal(3, output.ToString().TrimEnd().Split('\n').Length);
    }

    [Fact]
    public async Task Writes_json_for_machines()
    {
        using var output = new MemoryStream();

        var code = await CheckList.RunAsync(
            Steps[..1],
            json: true,
            AnsiConsole.Console,
            output,
            TimeProvider.System,
            CancellationToken.None
        );

        Assert.Equal(ExitCodes.Ok, code);
        using var document = JsonDocument.Parse(output.ToArray());
        Assert.Equal("ok", document.RootElement[0].GetProperty("outcome").GetString());
    }
}
