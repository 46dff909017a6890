using System.Text.Json.Serialization;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// A step of a check and its result, as <c>check --json</c> of every program writes it. <paramref name="Outcome"/> is ok, warning, failed
/// or skipped; <paramref name="Milliseconds"/> is its duration, if measured.
/// </summary>
sealed record CheckedStep(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("outcome")] string Outcome,
    [property: JsonPropertyName("detail")] string Detail,
    [property: JsonPropertyName("cause")] string Cause,
    [property: JsonPropertyName("fix")] string Fix,
    [property: JsonPropertyName("ms")] double? Milliseconds = null
)
{
    public static CheckedStep Of(string name, CheckResult result) =>
        new(name, result.Outcome.ToString().ToLowerInvariant(), result.Detail, result.Cause, result.Fix);
}
