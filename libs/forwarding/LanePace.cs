namespace ThermalStreaming.Forwarding;

/// <summary>How readily a forwarder opens and closes slots by itself. Immutable.</summary>
/// <param name="Look">How often it looks.</param>
/// <param name="Behind">A reading that waits for its commit for longer, besides the time that batches wait for more, is late.</param>
/// <param name="Patience">How long readings must be late, ever later, before one slot more is opened.</param>
/// <param name="Calm">How long none must be late before a slot is closed again.</param>
sealed record LanePace(TimeSpan Look, TimeSpan Behind, TimeSpan Patience, TimeSpan Calm)
{
    /// <summary>
    /// A slot more after three minutes, one less after an hour: opening is cheap, and closing lets a share of the readings wait for a minute.
    /// </summary>
    public static LanePace Usual { get; } =
        new(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(3), TimeSpan.FromHours(1));
}
