namespace ThermalStreaming.Readings;

/// <summary>What a field may hold. Null is always allowed.</summary>
enum JsonType
{
    /// <summary>A text, or a number, which stands for its text.</summary>
    Text,

    /// <summary>A number, or a text that spells one.</summary>
    Number,

    /// <summary>What <see cref="ReadingTime"/> reads.</summary>
    Time,
}
