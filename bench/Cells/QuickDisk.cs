using Microsoft.Win32.SafeHandles;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Bench;

/// <summary>
/// A disk whose fsync returns at once: many cells on one machine would wait for its disk, which is not what is compared. Thread-safe.
/// </summary>
sealed class QuickDisk : Disk
{
    public override void Flush(SafeFileHandle file) { }

    public override void FlushDirectory(string path) { }
}
