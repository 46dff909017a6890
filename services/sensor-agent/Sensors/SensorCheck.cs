using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>The step <c>sensors</c> of <c>check</c>: what is attached, and whether it delivers.</summary>
static class SensorCheck
{
    /// <summary>An SCD4x takes 1 s to be stopped, recognised and started.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    public static async Task<CheckResult> RunAsync(AgentOptions options, SensorSurvey survey, CancellationToken cancellationToken)
    {
        if (options.Simulate)
        {
            return CheckResult.Warning(
                "simulated: scd4x, icp10125, sgp30",
                "SOURCE asks for it: environmental values are made up.",
                "Set SOURCE=auto when sensors are attached."
            );
        }
        if (options.Source == SourceKind.Replay)
        {
            var files = options.Replays.Where(replay => replay.Kind == ReadingKind.Thermal).Select(replay => replay.File);
            return CheckResult.Warning(
                $"replayed: {string.Join(", ", files)}",
                "SOURCE asks for it: environmental values are those of a recorded file.",
                "Set SOURCE=auto when sensors are attached."
            );
        }
        var rows = await survey.AskAgentAsync(cancellationToken);
        string? problem = null;
        if (rows is null)
            (rows, problem) = await survey.ReadAsync(Patience, SensorSurvey.IsKnown, cancellationToken);
        return Judge(options.Source, rows, problem);
    }

    internal static CheckResult Judge(SourceKind source, IReadOnlyList<SensorRow> rows, string? problem)
    {
        const string fix = "See docs/hardware.md; SOURCE=simulate gives made-up values.";
        var found = rows.Where(row => row.State != nameof(SensorState.Missing) && row.Description.Length > 0).ToList();
        var failing = rows.Where(row => row.State == nameof(SensorState.Failing)).ToList();
        problem ??= rows.FirstOrDefault(row => row.State == nameof(SensorState.NoBus))?.Problem;
        if (problem is not null)
        {
            const string cause = "Without its bus no sensor can be read: the environmental values stay empty.";
            return found.Count > 0 ? CheckResult.Failed(problem, cause, fix) : Bad(source, problem, cause, fix);
        }
        if (failing.Count > 0)
        {
            return CheckResult.Failed(
                string.Join(", ", failing.Select(row => row.Id)) + " fails",
                string.Join("; ", failing.Select(row => $"{row.Id}: {row.Problem}")),
                "Check its wires and supply, then switch the supply off and on."
            );
        }
        if (found.Count == 0)
        {
            var places = string.Join(", ", rows.Select(row => row.Id));
            return Bad(source, "no sensor was found; the environmental values stay empty", $"No sensor answers at {places}.", fix);
        }
        return CheckResult.Ok(string.Join("; ", found.Select(row => $"{row.Id} {row.Description}")));
    }

    // Only SOURCE=hardware requires sensors.
    static CheckResult Bad(SourceKind source, string detail, string cause, string fix) =>
        source == SourceKind.Hardware ? CheckResult.Failed(detail, cause, fix) : CheckResult.Warning(detail, cause, fix);
}
