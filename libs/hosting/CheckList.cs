using System.Text.Json;
using Spectre.Console;

namespace ThermalStreaming.Hosting;

/// <summary>
/// Runs the steps of <c>check</c> in order and prints each as it ends: ✓ or ✗, how long it took, and on failure cause and fix.
/// </summary>
public static class CheckList
{
    /// <summary>Ceiling for a single step, so that a black-holed address cannot hang the check.</summary>
    static readonly TimeSpan StepCeiling = TimeSpan.FromSeconds(30);

    /// <returns><see cref="ExitCodes.Ok"/>, or <see cref="ExitCodes.Failed"/> when a step failed.</returns>
    public static async Task<int> RunAsync(
        IEnumerable<CheckStep> steps,
        bool json,
        IAnsiConsole console,
        Stream output,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var notWell = new HashSet<string>(StringComparer.Ordinal);
        var failed = false;
        using var writer = json ? new Utf8JsonWriter(output) : null;
        writer?.WriteStartArray();
        foreach (var step in steps)
        {
            var started = clock.GetTimestamp();
            var blocker = step.Needs.FirstOrDefault(notWell.Contains);
            var result = blocker is null
                ? await RunStepAsync(step, clock, cancellationToken)
                : new CheckResult(CheckOutcome.Skipped, $"not tried: needs '{blocker}'");
            var took = clock.GetElapsedTime(started);
            if (result.Outcome is CheckOutcome.Failed or CheckOutcome.Skipped)
                notWell.Add(step.Name);
            failed |= result.Outcome == CheckOutcome.Failed;
            if (writer is null)
                Print(console, step.Name, result, took);
            else
                Write(writer, step.Name, result, took);
        }
        writer?.WriteEndArray();
        return failed ? ExitCodes.Failed : ExitCodes.Ok;
    }

    /// <summary>
    /// In a pipe or a file (./check, docker compose exec -T), a finding is one line of any length, without colours, whatever TERM says.
    /// </summary>
    public static IAnsiConsole ConsoleFor(TextWriter output, bool isTerminal)
    {
        var settings = new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) };
        if (isTerminal)
            return AnsiConsole.Create(settings);
        (settings.Ansi, settings.ColorSystem) = (AnsiSupport.No, ColorSystemSupport.NoColors);
        var console = AnsiConsole.Create(settings);
        console.Profile.Width = 4096;
        return console;
    }

    static async Task<CheckResult> RunStepAsync(CheckStep step, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var ceiling = new CancellationTokenSource(StepCeiling, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ceiling.Token, cancellationToken);
        try
        {
            return await step.Run(both.Token);
        }
        catch (OperationCanceledException) when (ceiling.IsCancellationRequested)
        {
            return CheckResult.Failed(
                $"no answer within {StepCeiling.TotalSeconds:0} s",
                "The other side is unreachable or a firewall drops the packets.",
                "Check the address and the network between here and there."
            );
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return CheckResult.Failed(e.Message, $"This error was not expected: {e.GetType().Name}.", "Please report it with this line.");
        }
    }

    static void Print(IAnsiConsole console, string name, CheckResult result, TimeSpan took)
    {
        var (mark, colour) = result.Outcome switch
        {
            CheckOutcome.Ok => ("✓", "green"),
            CheckOutcome.Warning => ("!", "yellow"),
            CheckOutcome.Skipped => ("-", "grey"),
            _ => ("✗", "red"),
        };
        console.MarkupLineInterpolated($"[{colour}]{mark}[/] {name, -22} {result.Detail} [grey]({took.TotalMilliseconds:0} ms)[/]");
        if (result.Cause.Length > 0)
            console.MarkupLineInterpolated($"    cause: {result.Cause}");
        if (result.Fix.Length > 0)
            console.MarkupLineInterpolated($"    [bold]fix:[/]   {result.Fix}");
    }

    static void Write(Utf8JsonWriter json, string name, CheckResult result, TimeSpan took)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, name);
        json.WriteString("outcome"u8, result.Outcome.ToString().ToLowerInvariant());
        json.WriteString("detail"u8, result.Detail);
        json.WriteString("cause"u8, result.Cause);
        json.WriteString("fix"u8, result.Fix);
        json.WriteNumber("ms"u8, Math.Round(took.TotalMilliseconds, 1));
        json.WriteEndObject();
    }
}
