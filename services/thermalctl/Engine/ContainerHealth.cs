namespace ThermalStreaming.Thermalctl;

/// <summary>What Docker's health check of a container says.</summary>
/// <param name="Status">starting, healthy or unhealthy.</param>
/// <param name="Log">The last runs of the check, oldest first.</param>
sealed record ContainerHealth(string Status, HealthRun[]? Log = null)
{
    /// <summary>The last line of a check that names something wrong; empty when none does.</summary>
    public string Complaint =>
        (Log ?? [])
            .SelectMany(run => run.Output.Split('\n'))
            .LastOrDefault(line => line.Trim().Length > 0 && !line.StartsWith("ok", StringComparison.Ordinal))
        ?? "";
}
