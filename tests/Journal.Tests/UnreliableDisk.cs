using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal.Tests;

/// <summary>The process or the machine stopped. Nothing of the journal may treat it like an I/O error.</summary>
sealed class CrashException : Exception;

/// <summary>
/// A disk on real files that can stop at any call, refuse writes after some bytes, and forget on request everything that was not fsynced,
/// as a power cut does: bytes of files, their lengths, and the creation, renaming and deletion of files. It never really calls fsync, which
/// makes it quick.
/// </summary>
sealed class UnreliableDisk(Random random) : Disk
{
    readonly Lock gate = new();
    readonly Dictionary<SafeFileHandle, string> paths = [];
    readonly Dictionary<string, long> durableLengths = [];
    readonly Dictionary<string, byte[]?> undurableNames = [];
    bool crashed;

    /// <summary>How many more calls go through before the crash; negative for no crash.</summary>
    public int CallsUntilCrash { get; set; } = -1;

    /// <summary>How many more bytes are taken before writes fail with <see cref="WriteFailure"/>.</summary>
    public long BytesUntilFailure { get; set; } = long.MaxValue;

    public Exception WriteFailure { get; set; } = new IOException("No space left on device");

    public int FlushesToFail { get; set; }

    /// <summary>Why files cannot be opened for reading; null while they can.</summary>
    public Exception? OpenFailure { get; set; }

    /// <summary>Which read from now on fails, from 1, and only that one.</summary>
    public int ReadsUntilFailure { get; set; }

    /// <summary>Says of a read (path, position, length) whether the device fails it.</summary>
    public Func<string, long, int, bool>? Unreadable { get; set; }

    /// <summary>There is no block left for another file.</summary>
    public bool NewFilesFail { get; set; }

    public long Free { get; set; } = long.MaxValue;

    public int FileFlushes { get; private set; }

    public bool Crashed => crashed;

    public Action? OnFlush { get; set; }

    public override SafeFileHandle OpenFile(string path, bool create)
    {
        lock (gate)
        {
            Step();
            if (create && (NewFilesFail || BytesUntilFailure <= 0))
                throw WriteFailure;
            if (create && !File.Exists(path))
                undurableNames.TryAdd(path, null);
            if (create)
                durableLengths[path] = 0;
            var handle = base.OpenFile(path, create);
            paths[handle] = path;
            durableLengths.TryAdd(path, RandomAccess.GetLength(handle));
            return handle;
        }
    }

    public override SafeFileHandle OpenToRead(string path)
    {
        if (OpenFailure is not null)
            throw OpenFailure;
        var handle = base.OpenToRead(path);
        lock (gate)
        {
            paths[handle] = path;
            durableLengths.TryAdd(path, RandomAccess.GetLength(handle));
        }

        return handle;
    }

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long position)
    {
        lock (gate)
        {
            var crash = IsCrashing();
            var taken = crash ? random.Next(bytes.Length + 1) : (int)Math.Min(bytes.Length, BytesUntilFailure);
            if (position < durableLengths[paths[file]] && taken < bytes.Length)
                taken = 0; // What is rewritten in place is shorter than a sector.
            base.Write(file, bytes[..taken], position);
            if (crash)
                throw new CrashException();
            if (BytesUntilFailure != long.MaxValue)
                BytesUntilFailure -= taken;
            if (taken < bytes.Length)
                throw WriteFailure;
        }
    }

    public override int Read(SafeFileHandle file, Span<byte> buffer, long position)
    {
        lock (gate)
        {
            if (crashed)
                throw new CrashException();
            if (ReadsUntilFailure > 0 && --ReadsUntilFailure == 0)
            {
                ReadsUntilFailure = -1;
                throw new IOException("Input/output error");
            }

            if (Unreadable?.Invoke(paths[file], position, buffer.Length) == true)
                throw new IOException("Input/output error", 5);
        }

        return base.Read(file, buffer, position);
    }

    public override byte[]? ReadSmall(string path) =>
        Unreadable?.Invoke(path, 0, int.MaxValue) == true && File.Exists(path)
            ? throw new IOException("Input/output error", 5)
            : base.ReadSmall(path);

    public override void SetLength(SafeFileHandle file, long length)
    {
        lock (gate)
        {
            Step();
            base.SetLength(file, length);
            durableLengths[paths[file]] = Math.Min(durableLengths[paths[file]], length);
        }
    }

    public override void Flush(SafeFileHandle file)
    {
        OnFlush?.Invoke();
        lock (gate)
        {
            Step();
            FileFlushes++;
            if (FlushesToFail > 0)
            {
                FlushesToFail--;
                throw new IOException("Input/output error");
            }

            durableLengths[paths[file]] = RandomAccess.GetLength(file);
        }
    }

    public override void FlushDirectory(string path)
    {
        lock (gate)
        {
            Step();
            foreach (var name in undurableNames.Keys.Where(name => Path.GetDirectoryName(name) == path).ToList())
                undurableNames.Remove(name);
        }
    }

    public override void Move(string from, string to)
    {
        lock (gate)
        {
            Step();
            undurableNames.TryAdd(to, File.Exists(to) ? File.ReadAllBytes(to) : null);
            undurableNames.TryAdd(from, File.ReadAllBytes(from));
            base.Move(from, to);
            durableLengths[to] = durableLengths.GetValueOrDefault(from);
            durableLengths.Remove(from);
        }
    }

    public override void Exchange(string one, string other)
    {
        lock (gate)
        {
            Step();
            undurableNames.TryAdd(one, File.ReadAllBytes(one));
            undurableNames.TryAdd(other, File.ReadAllBytes(other));
            base.Exchange(one, other);
            (durableLengths[one], durableLengths[other]) = (durableLengths.GetValueOrDefault(other), durableLengths.GetValueOrDefault(one));
        }
    }

    public override void Delete(string path)
    {
        lock (gate)
        {
            Step();
            if (File.Exists(path))
                undurableNames.TryAdd(path, File.ReadAllBytes(path));
            base.Delete(path);
        }
    }

    public override long FreeBytes(string directory) => Free;

    /// <summary>From now on every call fails, as if the process were gone.</summary>
    public void Crash()
    {
        lock (gate)
            crashed = true;
    }

    /// <summary>What a power cut may do to a directory that was in use until a crash.</summary>
    public void LosePower(string directory)
    {
        foreach (var path in Directory.GetFiles(directory, "*", SearchOption.AllDirectories))
        {
            if (!durableLengths.TryGetValue(path, out var durable))
                continue;
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
            var length = RandomAccess.GetLength(file);
            if (length <= durable)
                continue;
            var kept = durable + random.NextInt64(length - durable + 1);
            RandomAccess.SetLength(file, kept);
            if (kept > durable && random.Next(2) == 0)
            {
                // The size reached the disk, a part of the data did not.
                var from = durable + random.NextInt64(kept - durable);
                RandomAccess.Write(file, new byte[random.NextInt64(kept - from) + 1], from);
            }
        }

        foreach (var (path, before) in undurableNames)
        {
            if (random.Next(2) == 0)
                continue;
            if (before is null)
                File.Delete(path);
            else
                File.WriteAllBytes(path, before);
        }

        durableLengths.Clear();
        undurableNames.Clear();
    }

    /// <summary>The disk for the next process. What was not fsynced still is not, unless the power was lost.</summary>
    public UnreliableDisk Restarted()
    {
        var next = new UnreliableDisk(random);
        foreach (var (path, length) in durableLengths)
            next.durableLengths.Add(path, length);
        foreach (var (path, before) in undurableNames)
            next.undurableNames.Add(path, before);
        return next;
    }

    void Step()
    {
        if (IsCrashing())
            throw new CrashException();
    }

    bool IsCrashing()
    {
        if (crashed)
            throw new CrashException();
        if (CallsUntilCrash < 0 || CallsUntilCrash-- > 0)
            return false;
        crashed = true;
        return true;
    }
}
