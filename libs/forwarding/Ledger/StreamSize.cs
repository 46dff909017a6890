namespace ThermalStreaming.Forwarding;

/// <summary>What a stream takes.</summary>
/// <param name="Bytes">Estimate of its memory, fingerprints included.</param>
/// <param name="Ranges">Ranges of stored numbers.</param>
/// <param name="FingerprintBytes">Memory of the fingerprints.</param>
readonly record struct StreamSize(long Bytes, int Ranges, int FingerprintBytes);
