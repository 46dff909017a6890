namespace ThermalStreaming.Forwarding;

/// <summary>
/// Where a dead letter comes from. <see cref="Unread"/> and <see cref="Refused"/> may hold half of <c>DEAD_LETTERS_MAX_BYTES</c> each;
/// <see cref="Unloaded"/>, whose letters are short, a sixteenth in addition.
/// </summary>
public enum DeadLetterOrigin
{
    /// <summary>A message or reading that could not be taken when it arrived. Any sender can make such letters.</summary>
    Unread,

    /// <summary>A reading that had been stored and that the destination refused.</summary>
    Refused,

    /// <summary>
    /// A file that was uploaded and that the destination did not load, or loaded only in part. It names the file and holds no reading, so
    /// it cannot be taken in again.
    /// </summary>
    Unloaded,
}
