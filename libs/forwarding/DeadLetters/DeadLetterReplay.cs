using Microsoft.Win32.SafeHandles;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>Sends dead letters back to a running service: all, or single ones. A lock admits one process at a time. Thread-safe.</summary>
/// <remarks>
/// A single letter is picked out of its file by blanking its line, so that all others keep their places. Two files are prepared for that,
/// <c>{name}.rest</c> and then <c>{name}.pick</c>. Replacing the letters' file by the first is the decisive step; the second is then moved
/// to <c>replay/</c>. After a crash, a pick without a rest is moved there, and a pick with its rest is discarded: a letter is always in one
/// of the two places.
/// </remarks>
/// <param name="directory">Of the dead letters.</param>
/// <param name="clock">Where time comes from.</param>
sealed class DeadLetterReplay(string directory, TimeProvider clock)
{
    const string Rest = ".rest",
        Picked = ".pick";

    static readonly TimeSpan patience = TimeSpan.FromSeconds(5),
        pause = TimeSpan.FromMilliseconds(50);

    string Target => DeadLetters.ReplayDirectory(directory);

    /// <summary>Files whose letters hold no readings: nothing could be taken in, and the reason would be lost.</summary>
    public static IEnumerable<string> Unloaded(string directory) => DeadLetters.Files(directory).Where(IsUnloaded);

    static bool IsUnloaded(string file) => DeadLetterOwner.OfFile(file).Origin == DeadLetterOrigin.Unloaded;

    /// <summary>Queues all letters but those of <see cref="Unloaded"/>.</summary>
    /// <returns>How many.</returns>
    /// <exception cref="IOException">The disk refused, or another process holds the lock or a file; some may be queued.</exception>
    /// <exception cref="UnauthorizedAccessException">As above, but for the lock.</exception>
    public async Task<long> QueueAllAsync(CancellationToken cancellationToken)
    {
        if (DeadLetters.Files(directory).Count == 0)
            return 0;
        using var held = await LockAsync(cancellationToken);
        Recover();
        var letters = 0L;
        foreach (var file in DeadLetters.Files(directory).Where(file => !IsUnloaded(file)))
        {
            // Nobody writes to it meanwhile, or deletes it for the cap: so each of its letters is counted once, here or there.
            using var alone = await OpenAloneAsync(file, cancellationToken);
            if (alone is null || !File.Exists(file))
                continue;
            letters += CountIn(Read(alone));
            MoveToTarget(file, Path.GetFileName(file));
        }
        return letters;
    }

    /// <summary>Queues single letters, except those that are gone and those of <see cref="Unloaded"/>.</summary>
    /// <returns>How many were queued.</returns>
    /// <exception cref="IOException">The disk refused, or another process holds the lock or a file; some may be queued.</exception>
    /// <exception cref="UnauthorizedAccessException">As above, but for the lock.</exception>
    public async Task<long> QueueAsync(IEnumerable<DeadLetterId> ids, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(directory))
            return 0;
        using var held = await LockAsync(cancellationToken);
        Recover();
        var letters = 0L;
        foreach (var file in ids.Where(id => !IsUnloaded(id.File)).Distinct().GroupBy(id => id.File))
        {
            cancellationToken.ThrowIfCancellationRequested();
            letters += await PickAsync(file.Key, [.. file.Select(id => id.Offset)], cancellationToken);
        }
        return letters;
    }

    /// <summary>Finishes what a killed process had begun. Does nothing while another process holds the lock.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public void RecoverIfFree()
    {
        if (!Directory.Exists(directory) || FileLock.TryTake(LockPath) is not { } held)
            return;
        using (held)
            Recover();
    }

    string LockPath => Path.Combine(directory, "replay.lock");

    async Task<FileLock> LockAsync(CancellationToken cancellationToken)
    {
        var since = clock.GetTimestamp();
        while (true)
        {
            if (FileLock.TryTake(LockPath) is { } held)
                return held;
            if (clock.GetElapsedTime(since) > patience)
                throw new IOException($"another process is queueing dead letters of {directory}; call again");
            await Task.Delay(pause, clock, cancellationToken);
        }
    }

    void Recover()
    {
        foreach (var picked in Directory.GetFiles(directory, "*" + Picked))
        {
            var rest = picked[..^Picked.Length] + Rest;
            if (File.Exists(rest))
                File.Delete(picked);
            else
                Release(picked);
        }
        foreach (var rest in Directory.GetFiles(directory, "*" + Rest))
            File.Delete(rest);
    }

    async Task<long> PickAsync(string name, HashSet<long> offsets, CancellationToken cancellationToken)
    {
        var path = Path.Combine(directory, name);
        // Nobody writes to it meanwhile, or deletes it for the cap.
        using var alone = await OpenAloneAsync(path, cancellationToken);
        // It may have been deleted between the opening and the lock.
        if (alone is null || !File.Exists(path))
            return 0;
        var bytes = Read(alone);
        using var picked = new MemoryStream();
        var (letters, left, start) = (0L, 0L, 0);
        while (start < bytes.Length && Array.IndexOf(bytes, (byte)'\n', start) is >= 0 and var end)
        {
            var line = bytes.AsSpan(start, end - start);
            if (!DeadLetter.TryParse(System.Text.Encoding.UTF8.GetString(line), out _))
                left += line.Trim((byte)' ').Length > 0 ? 1 : 0;
            else if (offsets.Contains(start))
            {
                picked.Write(line);
                picked.WriteByte((byte)'\n');
                line.Fill((byte)' ');
                letters++;
            }
            else
                left++;
            start = end + 1;
        }
        if (letters == 0)
            return 0;
        if (left == 0 && start == bytes.Length)
        {
            MoveToTarget(path, name);
            return letters;
        }
        var (rest, pick) = (path + Rest, path + Picked);
        DurableFile.Replace(rest, bytes);
        DurableFile.Replace(pick, picked.ToArray());
        File.Move(rest, path, overwrite: true);
        DurableFile.FlushDirectory(directory);
        Release(pick);
        return letters;
    }

    static long CountIn(byte[] bytes)
    {
        var letters = 0L;
        foreach (var line in bytes.AsSpan().Split((byte)'\n'))
            letters += DeadLetter.TryParse(System.Text.Encoding.UTF8.GetString(bytes[line]), out _) ? 1 : 0;
        return letters;
    }

    /// <summary>Reads by this handle: its lock keeps out all others, even in this process.</summary>
    static byte[] Read(SafeFileHandle file)
    {
        var bytes = new byte[RandomAccess.GetLength(file)];
        var length = 0;
        while (length < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(length), length) is > 0 and var read)
            length += read;
        return bytes[..length];
    }

    async Task<SafeFileHandle?> OpenAloneAsync(string path, CancellationToken cancellationToken)
    {
        var since = clock.GetTimestamp();
        while (true)
        {
            try
            {
                return DeadLetters.OpenAlone(path);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
            catch (IOException) when (clock.GetElapsedTime(since) < patience)
            {
                // Somebody is writing to it.
            }
            await Task.Delay(pause, clock, cancellationToken);
        }
    }

    /// <summary>Under another name: letters of the same file may be there already.</summary>
    void Release(string pick)
    {
        var owner = DeadLetterOwner.OfFile(pick);
        MoveToTarget(pick, owner.NewFileName(clock.GetUtcNow()));
    }

    void MoveToTarget(string path, string name)
    {
        Directory.CreateDirectory(Target);
        File.Move(path, Path.Combine(Target, name));
        DurableFile.FlushDirectory(Target);
        DurableFile.FlushDirectory(directory);
    }
}
