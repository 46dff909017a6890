using ThermalStreaming.Hosting;

namespace ThermalStreaming.Journal;

/// <summary>The steps of <c>check</c> that concern the place of the journals. They work while the service runs.</summary>
public static class JournalCheck
{
    /// <summary>Whether this user can write the data directory, and whether the free space lets a journal take anything.</summary>
    /// <param name="dataDirectory">DATA_DIRECTORY.</param>
    /// <param name="options">For the size and the reserve.</param>
    public static IEnumerable<CheckStep> Steps(string dataDirectory, JournalOptions options)
    {
        yield return new CheckStep("data directory", _ => Task.FromResult(Writable(dataDirectory)));
        yield return new CheckStep("free space", _ => Task.FromResult(FreeSpace(dataDirectory, options)), "data directory");
    }

    static CheckResult Writable(string directory)
    {
        var probe = Path.Combine(directory, $".check-{Environment.ProcessId}");
        try
        {
            Directory.CreateDirectory(directory);
            using (var file = new FileStream(probe, FileMode.Create, FileAccess.Write))
            {
                file.Write("probe"u8);
                file.Flush(flushToDisk: true);
            }
            File.Delete(probe);
            return CheckResult.Ok($"{directory} can be written and synced");
        }
        catch (UnauthorizedAccessException)
        {
            return CheckResult.Failed(
                $"{directory}: permission denied for user {Environment.UserName}",
                "The directory belongs to another user.",
                $"chown -R {Environment.UserName} {directory}, or mount a volume that this user owns."
            );
        }
        catch (IOException e)
        {
            return CheckResult.Failed(
                $"{directory}: {e.Message}",
                "The file system is read-only, full, or damaged.",
                "Mount a writable volume there; for an SD card look at dmesg."
            );
        }
    }

    static CheckResult FreeSpace(string directory, JournalOptions options)
    {
        var free = new DriveInfo(directory).AvailableFreeSpace;
        var reserve = new Disk().ReserveOf(directory, options.FreeSpaceReserveBytes);
        var usable = free - reserve;
        var detail = $"{Mib(free)} MiB free on the file system of {directory}, {Mib(reserve)} MiB of it stay in reserve";
        if (usable <= 0)
            return CheckResult.Failed(
                detail,
                "The journal must leave its reserve free, so it stores nothing.",
                "Free some space there, or lower JOURNAL_FREE_RESERVE."
            );
        return usable < options.MaxBytes
            ? CheckResult.Warning(
                detail,
                $"A journal may grow to {Mib(options.MaxBytes)} MiB during a long outage; here it stops at {Mib(usable)} MiB.",
                "Free some space there, or lower JOURNAL_MAX_BYTES so that the limit is the one you chose."
            )
            : CheckResult.Ok(detail);
    }

    static long Mib(long bytes) => bytes >> 20;
}
