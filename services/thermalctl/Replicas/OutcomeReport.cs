using System.Text.Json;
using Spectre.Console;

namespace ThermalStreaming.Thermalctl;

/// <summary>Shows the outcomes of calls to replicas, a line or a block for each, and returns the verb's exit code.</summary>
static class OutcomeReport
{
    /// <param name="run">The verb's run.</param>
    /// <param name="outcomes">The outcomes in the order of display.</param>
    /// <param name="describe">Describes a good answer in a few words.</param>
    /// <param name="write">Writes its members in JSON.</param>
    /// <param name="detail">More lines below, if the answer needs them.</param>
    /// <returns>The exit code.</returns>
    public static int Show<T>(
        this OperatorRun run,
        IReadOnlyList<CallOutcome<T>> outcomes,
        Func<T, string> describe,
        Action<Utf8JsonWriter, T> write,
        Action<IAnsiConsole, T>? detail = null
    )
        where T : class
    {
        if (run.WantsJson)
        {
            JsonText.Print(writer => Write(writer, outcomes, write));
        }
        else
        {
            foreach (var outcome in outcomes)
                Print(run.Console, outcome, describe, detail);
        }
        return OperatorExit.Of(outcomes.Count(outcome => outcome.Answer is not null), outcomes.Count);
    }

    static void Print<T>(IAnsiConsole console, CallOutcome<T> outcome, Func<T, string> describe, Action<IAnsiConsole, T>? detail)
        where T : class
    {
        var name = outcome.Replica.Name;
        if (outcome.Answer is { } answer)
        {
            console.MarkupLineInterpolated($"[green]✓[/] {name}: {describe(answer)}");
            detail?.Invoke(console, answer);
            return;
        }
        console.MarkupLineInterpolated($"[red]✗[/] {name}: {outcome.Problem!.What}");
        if (outcome.Problem.Fix.Length > 0)
            console.MarkupLineInterpolated($"    [bold]fix:[/] {outcome.Problem.Fix}");
    }

    static void Write<T>(Utf8JsonWriter writer, IReadOnlyList<CallOutcome<T>> outcomes, Action<Utf8JsonWriter, T> write)
        where T : class
    {
        writer.WriteStartObject();
        writer.WriteBoolean("ok", outcomes.All(outcome => outcome.Answer is not null));
        writer.WriteStartArray("replicas");
        foreach (var outcome in outcomes)
        {
            writer.WriteStartObject();
            writer.WriteString("service", outcome.Replica.Service);
            writer.WriteString("replica", outcome.Replica.Replica);
            writer.WriteString("address", outcome.Replica.Address);
            writer.WriteBoolean("ok", outcome.Answer is not null);
            if (outcome.Answer is { } answer)
                write(writer, answer);
            else
                JsonText.Problem(writer, outcome.Problem!);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
