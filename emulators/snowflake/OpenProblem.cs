namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Why a channel was not opened.</summary>
enum OpenProblem
{
    None,
    UncommittedRows,
    TooManyChannels,
}
