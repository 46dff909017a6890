namespace ThermalStreaming.Journal;

/// <summary>
/// Makes the last segment that was found at the start durable: a killed process may have written records without reaching their fsync.
/// Nothing may be acknowledged or appended until then. Thread-safe.
/// </summary>
/// <param name="environment">The journal.</param>
/// <param name="path">The segment file.</param>
/// <param name="problem">Why the attempt at the start failed; null if the segment is durable.</param>
sealed class FoundTail(JournalEnvironment environment, string path, Exception? problem)
{
    static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    readonly Lock gate = new();
    Exception? problem = problem;
    long triedAt = environment.Clock.GetTimestamp();

    /// <summary>Whether the segment is on disk, as far as is known without trying.</summary>
    public bool IsDurable
    {
        get
        {
            lock (gate)
                return problem is null;
        }
    }

    /// <summary>Tries again to make the segment durable, at most once a second.</summary>
    /// <returns>Null once it is; else the disk's last error.</returns>
    public Exception? TryFlush()
    {
        lock (gate)
        {
            if (problem is null || environment.Clock.GetElapsedTime(triedAt) < RetryInterval)
                return problem;
            triedAt = environment.Clock.GetTimestamp();
        }

        Exception? refusal = null;
        try
        {
            Recovery.FlushTail(environment.Disk, path);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            refusal = e;
        }

        lock (gate)
            return problem = refusal;
    }
}
