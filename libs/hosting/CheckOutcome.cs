namespace ThermalStreaming.Hosting;

public enum CheckOutcome
{
    Ok,
    Warning,
    Failed,
    Skipped,
}
