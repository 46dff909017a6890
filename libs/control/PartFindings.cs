namespace ThermalStreaming.Control;

/// <summary>What the parts of a service say is wrong with them, as <c>/readyz</c> does.</summary>
static class PartFindings
{
    /// <param name="info">Of the service; null if the answer has none.</param>
    /// <param name="error">The destination's last error; null if there was none.</param>
    public static IEnumerable<Finding> Of(ServiceInfo? info, Problem? error)
    {
        if (info is null)
            yield break;
        foreach (var part in info.Parts.Where(part => part.Problem.Length > 0))
            yield return new Finding(
                $"part {part.Name}",
                IsUrgent: true,
                part.Name,
                FindingText.Sentence(part.Problem),
                error is { Fix.Length: > 0 } && IsSaidBy(part, error) ? FindingText.Sentence(error.Fix) : FindingText.LookFurther
            );
        if (!info.Ready && info.Parts.All(part => part.Problem.Length == 0))
            yield return new Finding("ready", IsUrgent: true, "", "It is not ready, and no part of it says why.", FindingText.LookFurther);
    }

    /// <summary>Whether a part's problem is this error.</summary>
    public static bool IsSaidBy(Part part, Problem error) =>
        error.Message.Length > 0 && part.Problem.Contains(error.Message, StringComparison.Ordinal);
}
