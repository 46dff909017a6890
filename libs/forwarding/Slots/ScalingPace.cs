namespace ThermalStreaming.Forwarding;

/// <summary>How readily a forwarder opens and closes slots by itself. Immutable.</summary>
/// <param name="Look">How often it looks at the slots.</param>
/// <param name="Behind">A reading is late when it waits longer than this for its commit, not counting the time that batches wait for more
/// readings.</param>
/// <param name="Patience">How long readings must be late, and ever later, before one more slot is opened.</param>
/// <param name="Calm">How long no reading may be late before a slot is closed again.</param>
sealed record ScalingPace(TimeSpan Look, TimeSpan Behind, TimeSpan Patience, TimeSpan Calm)
{
    /// <summary>
    /// One more slot after three minutes, one fewer after an hour: opening is cheap, and closing delays a share of the readings by a
    /// minute.
    /// </summary>
    public static ScalingPace Usual { get; } =
        new(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(3), TimeSpan.FromHours(1));
}
