namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Why a channel was not opened or dropped.</summary>
enum ChannelProblem
{
    None,
    NoChannel,
    UncommittedRows,
    TooManyChannels,
}
