using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>Shows each finding of <c>check</c> as it arrives, or collects all for one JSON document.</summary>
/// <param name="console">Null if the findings are for a program.</param>
sealed class CheckReport(IAnsiConsole? console)
{
    // People read this JSON too, so + and ' stay unescaped.
    static readonly CheckJson readable = new(
        new JsonSerializerOptions(CheckJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
    );

    readonly List<CheckedStep> machine = [];
    readonly Dictionary<string, IReadOnlyList<CheckedStep>> services = [];

    public bool HasFailed { get; private set; }

    /// <summary>Writes a heading.</summary>
    public void Head(string text) => console?.MarkupLineInterpolated($"[bold]{text}[/]");

    /// <summary>Adds a finding about the machine, the settings or a container.</summary>
    public void Add(string name, CheckResult result)
    {
        var finding = CheckedStep.Of(name, result);
        machine.Add(finding);
        Show(finding);
    }

    /// <summary>
    /// Adds the findings of the service in a container. If <paramref name="failed"/>, it is reported as unwell, even if no finding is.
    /// </summary>
    public void Add(string container, IReadOnlyList<CheckedStep> findings, bool failed)
    {
        services[container] = findings;
        HasFailed |= failed;
        foreach (var finding in findings)
            Show(finding);
    }

    /// <summary>Writes a blank line between two containers.</summary>
    public void Blank() => console?.WriteLine();

    public void WriteJson(TextWriter output) =>
        output.WriteLine(JsonSerializer.Serialize(new CheckDocument(!HasFailed, machine, services), readable.CheckDocument));

    void Show(CheckedStep finding)
    {
        HasFailed |= finding.Outcome == "failed";
        if (console is null)
            return;
        var (mark, colour) = finding.Outcome switch
        {
            "ok" => ("✓", "green"),
            "warning" => ("!", "yellow"),
            "skipped" => ("-", "grey"),
            _ => ("✗", "red"),
        };
        var took = finding.Milliseconds is { } milliseconds ? string.Create(CultureInfo.InvariantCulture, $" ({milliseconds:0} ms)") : "";
        console.MarkupLineInterpolated($"[{colour}]{mark}[/] {finding.Name, -22} {finding.Detail}[grey]{took}[/]");
        if (finding.Cause.Length > 0)
            console.MarkupLineInterpolated($"    cause: {finding.Cause}");
        if (finding.Fix.Length > 0)
            console.MarkupLineInterpolated($"    [bold]fix:[/]   {finding.Fix}");
    }
}
