namespace ThermalStreaming.Forwarding;

/// <summary>Dead letters that are taken in together, with one append.</summary>
sealed class LetterGroup
{
    /// <summary>The part of each letter that can be taken; null where nothing can.</summary>
    public List<Arrival?> Arrivals { get; } = [];

    /// <summary>The letters that still cannot be taken.</summary>
    public List<DeadLetter> Refused { get; } = [];

    /// <summary>Bytes that the letters take, at most.</summary>
    public long Bytes { get; set; }

    /// <summary>The error that ended the group before the end of the file; null if there was none.</summary>
    public IOException? Failure { get; set; }
}
