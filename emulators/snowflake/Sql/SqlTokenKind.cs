namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The kind of a token.</summary>
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
