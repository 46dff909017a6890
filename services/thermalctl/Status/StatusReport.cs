using System.Text.Json;
using Spectre.Console;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>The status of all replicas, as a table with the problems below it, or as JSON.</summary>
static class StatusReport
{
    /// <returns>0: all well; 1: something is wrong or nobody answers; 3: some did not answer.</returns>
    public static int ExitCode(IReadOnlyList<ReplicaStatus> rows)
    {
        var answered = rows.Count(row => row.HasAnswered);
        return answered < rows.Count ? OperatorExit.Of(answered, rows.Count)
            : rows.Any(row => row.State == ReplicaState.Problem) ? ExitCodes.Failed
            : ExitCodes.Ok;
    }

    public static void Print(IAnsiConsole console, IReadOnlyList<ReplicaStatus> rows)
    {
        console.Write(StatusTable.Of(rows, console.Profile.Width));
        var findings = ReplicaFinding.Of(rows);
        if (findings.Count == 0)
            return;
        console.WriteLine();
        foreach (var finding in findings)
            Print(console, finding);
    }

    public static void Print(IAnsiConsole console, ReplicaFinding finding)
    {
        var (mark, colour) = finding.IsUrgent ? ("✗", "red") : ("!", "yellow");
        console.MarkupLine($"[{colour}]{mark}[/] {Markup.Escape($"{finding.Name}: {finding.What}")}");
        if (finding.Fix.Length > 0)
            console.MarkupLineInterpolated($"    [bold]fix:[/] {finding.Fix}");
    }

    public static void Write(Utf8JsonWriter writer, IReadOnlyList<ReplicaStatus> rows)
    {
        writer.WriteStartObject();
        writer.WriteBoolean("ok", ExitCode(rows) == ExitCodes.Ok);
        writer.WriteStartArray("replicas");
        foreach (var row in rows)
            Write(writer, row);
        writer.WriteEndArray();
        writer.WriteStartArray("findings");
        foreach (var finding in ReplicaFinding.Of(rows))
        {
            writer.WriteStartObject();
            writer.WriteString("service", finding.Replica.Service);
            writer.WriteString("replica", finding.IsShared ? null : finding.Replica.Replica);
            writer.WriteBoolean("failed", finding.IsUrgent);
            JsonText.Problem(writer, new CallProblem(finding.What, finding.Fix));
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    static void Write(Utf8JsonWriter writer, ReplicaStatus row)
    {
        writer.WriteStartObject();
        writer.WriteString("service", row.Service);
        writer.WriteString("replica", row.Replica);
        writer.WriteString("address", row.Address);
        writer.WriteString("state", ReplicaStatus.JsonWord(row.State));
        writer.WriteString("version", row.Version);
        writer.WriteString("started_at", ReplicaStatus.Iso(row.Info?.StartedAt));
        JsonText.Number(writer, "uptime_s", row.Uptime?.TotalSeconds);
        JsonText.Count(writer, "readings", row.Readings);
        JsonText.Number(writer, "readings_per_second", row.Rate);
        JsonText.Count(writer, "backlog_readings", row.Backlog);
        JsonText.Number(writer, "lag_s", row.Lag?.TotalSeconds);
        JsonText.Count(writer, "delivered_readings", row.Delivered);
        JsonText.Count(writer, "dead_letters", row.DeadLetters);
        writer.WriteEndObject();
    }
}
