using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Journal;

/// <summary>Where a journal lives and what its parts work with.</summary>
/// <param name="Directory">Full path of the journal's directory.</param>
/// <param name="Epoch">Identity of the journal.</param>
/// <param name="Disk">Reads and writes the files.</param>
/// <param name="Clock">Tells the time and makes timers.</param>
/// <param name="Logger">Logs what an operator should know.</param>
sealed record JournalEnvironment(string Directory, ulong Epoch, Disk Disk, TimeProvider Clock, ILogger Logger);
