using System.Text;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// A file in each volume while a restore is under way. It stays when the restore is interrupted, and then nothing starts.
/// </summary>
static class RestoreMark
{
    public const string FileName = ".restoring";

    /// <summary>The volume of <c>setup</c>, on which every service waits: marked first, and as long as any other.</summary>
    const string First = "mosquitto-authority";

    /// <summary>The volumes in the order in which they are marked.</summary>
    public static IReadOnlyList<string> Order(IEnumerable<string> volumes) =>
        [.. volumes.OrderByDescending(path => Path.GetFileName(path) == First).ThenBy(path => path, StringComparer.Ordinal)];

    public static bool IsIn(string volume) => File.Exists(Path.Combine(volume, FileName));

    /// <summary>Marks volumes; on disk when this returns.</summary>
    public static void Set(IEnumerable<string> volumes, string archive)
    {
        foreach (var volume in Order(volumes))
            DurableFile.Replace(Path.Combine(volume, FileName), Encoding.UTF8.GetBytes($"{archive}\n"));
    }

    /// <summary>Takes the marks away; on disk when this returns.</summary>
    public static void Remove(IEnumerable<string> volumes)
    {
        foreach (var volume in Order(volumes).Reverse())
        {
            File.Delete(Path.Combine(volume, FileName));
            DurableFile.FlushDirectory(volume);
        }
    }

    /// <summary>To be asked before anything starts.</summary>
    /// <exception cref="FailureException">A restore was interrupted.</exception>
    public static void Refuse(string volume)
    {
        if (!IsIn(volume))
            return;
        throw new FailureException(
            "a restore was interrupted",
            "Some volumes hold what the backup says and some do not yet, so nothing starts",
            "./up --restore FILE again with the same backup, or ./up --reset to begin empty",
            ExitCodes.BadConfiguration
        );
    }
}
