namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What a piece of SQL is.</summary>
enum SqlTokenKind
{
    Word,
    Quoted,
    Text,
    Number,
    Column,
    Symbol,
    End,
}
