using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>Dead letters that are taken in together, with one append.</summary>
sealed class LetterGroup
{
    /// <summary>How many readings each letter holds.</summary>
    public List<int> Counts { get; } = [];

    /// <summary>The records of the letters that hold readings.</summary>
    public List<JournalRecord> Records { get; } = [];

    /// <summary>What still cannot be taken.</summary>
    public List<DeadLetter> Refused { get; } = [];

    /// <summary>Bytes that the letters take, at most.</summary>
    public long Bytes { get; set; }

    /// <summary>The error that ended the group before the end of the file; null if none did.</summary>
    public IOException? Failure { get; set; }
}
