namespace ThermalStreaming.Readings;

/// <summary>A payload that cannot be read. The message becomes the reason in the dead letter.</summary>
public class PayloadException(string reason) : Exception(reason);
