namespace ThermalStreaming.Readings;

/// <summary>A payload that cannot be read. The message is the reason that goes with it into the dead letters.</summary>
public class PayloadException(string reason) : Exception(reason);
