namespace ThermalStreaming.Journal;

/// <summary>What <c>journal recover</c> did with one file of quarantine/.</summary>
/// <param name="File">Its name.</param>
/// <param name="Outcome">One sentence.</param>
/// <param name="Records">Records taken in.</param>
/// <param name="Readings">Readings in them.</param>
/// <param name="Known">Records left out because the journal holds them, or they were recovered before.</param>
/// <param name="IsProblem">Whether a person must do something.</param>
sealed record RecoveredFile(string File, string Outcome, int Records, long Readings, int Known, bool IsProblem = false);
