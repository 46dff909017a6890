namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>How an append names its offset token.</summary>
enum OffsetTokenForm
{
    /// <summary><c>startOffsetToken</c> and <c>endOffsetToken</c>, the current form.</summary>
    Range,

    /// <summary><c>offsetToken</c>, the older form.</summary>
    Single,
}
