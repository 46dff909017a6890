using ThermalStreaming.Journal;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The locks by which services own the files of a volume, held so that no service starts meanwhile. Released on disposal.
/// </summary>
sealed class HeldLocks : IDisposable
{
    readonly List<FileLock> held = [];

    HeldLocks() { }

    /// <exception cref="FailureException">A service is running.</exception>
    /// <exception cref="IOException">A volume cannot be read.</exception>
    public static HeldLocks Take(IEnumerable<string> volumes)
    {
        var locks = new HeldLocks();
        try
        {
            foreach (var path in volumes.SelectMany(Files))
            {
                locks.held.Add(
                    FileLock.TryTake(path)
                        ?? throw new FailureException(
                            $"{path} is in use",
                            "A service of this project still runs, and the backup would hold only a part of what it writes meanwhile",
                            "./up --backup stops the services itself; stop other programs that use these volumes (docker ps), "
                                + "then run this again"
                        )
                );
            }
            return locks;
        }
        catch
        {
            locks.Dispose();
            throw;
        }
    }

    public void Dispose() => held.ForEach(one => one.Dispose());

    static IEnumerable<string> Files(string volume) =>
        VolumeTree
            .Walk(volume)
            .Where(path => Path.GetFileName(path) == "lock" || Path.GetExtension(path) == ".lock")
            .Where(path => SystemCalls.StatusOf(path).Kind == BackupKind.File);
}
