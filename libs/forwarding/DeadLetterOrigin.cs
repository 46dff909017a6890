namespace ThermalStreaming.Forwarding;

/// <summary>Where a dead letter comes from. Each origin may hold half of <c>DEAD_LETTERS_MAX_BYTES</c>.</summary>
public enum DeadLetterOrigin
{
    /// <summary>A message or reading that could not be taken when it arrived. Any sender can make such letters.</summary>
    Unread,

    /// <summary>A reading that had been stored and that the destination refused.</summary>
    Refused,
}
