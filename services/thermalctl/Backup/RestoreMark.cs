using System.Text;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Thermalctl;

/// <summary>A file in each volume during a restore. It stays if the restore is interrupted, and then no service starts.</summary>
static class RestoreMark
{
    public const string FileName = ".restoring";

    /// <summary>The volume of <c>setup</c>, for which every service waits. It is marked first, and for as long as any other.</summary>
    const string First = "mosquitto-authority";

    /// <summary>The volumes in the order of marking.</summary>
    public static IReadOnlyList<string> Order(IEnumerable<string> volumes) =>
        [.. volumes.OrderByDescending(path => Path.GetFileName(path) == First).ThenBy(path => path, StringComparer.Ordinal)];

    public static bool IsIn(string volume) => File.Exists(Path.Combine(volume, FileName));

    /// <summary>Marks volumes. The marks are on disk when this returns.</summary>
    public static void Set(IEnumerable<string> volumes, string archive)
    {
        foreach (var volume in Order(volumes))
            DurableFile.Replace(Path.Combine(volume, FileName), Encoding.UTF8.GetBytes($"{archive}\n"));
    }

    /// <summary>Removes the marks. This is on disk when it returns.</summary>
    public static void Remove(IEnumerable<string> volumes)
    {
        foreach (var volume in Order(volumes).Reverse())
        {
            File.Delete(Path.Combine(volume, FileName));
            DurableFile.FlushDirectory(volume);
        }
    }

    /// <summary>Call it before anything starts.</summary>
    /// <exception cref="FailureException">A restore was interrupted.</exception>
    public static void Refuse(string volume)
    {
        if (!IsIn(volume))
            return;
        throw new FailureException(
            "a restore was interrupted",
            "Some volumes are restored and others are not yet, so no service starts",
            "run ./up --restore FILE again with the same backup, or ./up --reset to begin empty",
            ExitCodes.BadConfiguration
        );
    }
}
