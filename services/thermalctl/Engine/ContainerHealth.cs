namespace ThermalStreaming.Thermalctl;

/// <summary>The state of a container's health check.</summary>
/// <param name="Status">starting, healthy or unhealthy.</param>
/// <param name="Log">The last runs of the check, oldest first.</param>
sealed record ContainerHealth(string Status, HealthRun[]? Log = null)
{
    /// <summary>The last line of a check that names a problem; empty if none does.</summary>
    public string Complaint =>
        (Log ?? [])
            .SelectMany(run => run.Output.Split('\n'))
            .LastOrDefault(line => line.Trim().Length > 0 && !line.StartsWith("ok", StringComparison.Ordinal))
        ?? "";
}
