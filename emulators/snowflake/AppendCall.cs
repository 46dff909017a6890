namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>An append that passed the checks before its body: where its rows go, and what its continuation token says.</summary>
/// <param name="Pipe">The pipe.</param>
/// <param name="Channel">Name of the channel as sent.</param>
/// <param name="Elastic">The channel is the elastic one, which knows no tokens.</param>
/// <param name="ClientSequencer">First half of the continuation token.</param>
/// <param name="RowSequencer">Second half.</param>
/// <param name="Rate">Limits of the channel; null for none.</param>
/// <param name="Plan">Faults that are to happen.</param>
sealed record AppendCall(
    Pipe Pipe, string Channel, bool Elastic, int ClientSequencer, int RowSequencer, ChannelRate? Rate, FaultPlan Plan);
