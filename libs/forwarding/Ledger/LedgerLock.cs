using System.Globalization;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The lock of a ledger, between the slots of this process and of others: flock(2) on <c>ledger.lock</c>, whose content names the holder
/// (<see cref="LedgerNote"/>). Waiting for it is bounded: its holder may be frozen. Thread-safe.
/// </summary>
sealed class LedgerLock(string path, Disk disk, TimeProvider clock) : IDisposable
{
    static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(1),
        LongestPause = TimeSpan.FromMilliseconds(20);

    readonly SemaphoreSlim gate = new(1, 1);
    FileLock? file;

    /// <summary>Takes the lock for a slot.</summary>
    /// <returns>The previous holder's note.</returns>
    /// <exception cref="LedgerHeldException">Another holder has kept it for <paramref name="patience"/>.</exception>
    /// <exception cref="IOException">The file cannot be used now.</exception>
    /// <exception cref="OperationCanceledException">Asked to stop first.</exception>
    public async ValueTask<LedgerNote> TakeAsync(string slot, TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        // A free lock is taken even if a stop is requested: received messages are finished.
        if (!gate.Wait(TimeSpan.Zero, CancellationToken.None) && !await gate.WaitAsync(patience, cancellationToken))
            throw Held();
        var isTaken = false;
        try
        {
            file ??= FileLock.Open(path);
            for (var pause = ShortestPause; !(isTaken = file.TryTake()); pause = pause < LongestPause ? pause * 2 : LongestPause)
            {
                if (clock.GetElapsedTime(started) >= patience)
                    throw Held();
                await Task.Delay(pause, clock, cancellationToken);
            }
            var before = Read();
            Write(new LedgerNote(before.Generation, slot, LedgerNote.ThisProcess, clock.GetUtcNow()));
            return before;
        }
        catch
        {
            if (isTaken)
                file!.Release();
            gate.Release();
            throw;
        }
    }

    /// <summary>Changes the note. Only for the holder.</summary>
    public void Write(in LedgerNote note)
    {
        Span<byte> bytes = stackalloc byte[LedgerNote.MaxBytes];
        disk.Write(file!.Handle, note.Write(bytes), 0);
    }

    public void Release()
    {
        file!.Release();
        gate.Release();
    }

    public void Dispose()
    {
        file?.Dispose();
        gate.Dispose();
    }

    LedgerNote Read()
    {
        Span<byte> bytes = stackalloc byte[LedgerNote.MaxBytes];
        var read = 0;
        while (read < bytes.Length && disk.Read(file!.Handle, bytes[read..], read) is > 0 and var more)
            read += more;
        return LedgerNote.Parse(bytes[..read]);
    }

    LedgerHeldException Held()
    {
        LedgerNote note = default;
        try
        {
            note = file is null ? default : Read();
        }
        catch (IOException)
        {
            // The holder stays unknown.
        }
        var who = note.Holder is { Length: > 0 } slot ? $"{slot} ({note.Process})" : $"an unknown process (fuser {path} names it)";
        var since = note.Since is { } at ? string.Create(CultureInfo.InvariantCulture, $" since {at:yyyy-MM-dd HH:mm:ss} UTC") : "";
        return new LedgerHeldException(
            $"has been held by {who}{since}; normally it is held for milliseconds. If that process is frozen or paused, resume it or "
                + "end it (another process then adopts its slot, and nothing is lost): docker ps shows the container whose id is the "
                + "host's name, docker unpause or docker restart acts on it."
        );
    }
}
