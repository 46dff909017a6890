namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A step of the loader failed because of a requested fault.</summary>
sealed class InjectedFaultException(string step, string how) : Exception($"injected by /emulator/faults: {step}, {how}");
