using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Forwarding;

/// <summary>The letters of one file, last line first. Lines that are not letters are left out. Not thread-safe.</summary>
sealed class LettersBackwards : IDisposable
{
    /// <summary>Small, because a file for each device may be open at once.</summary>
    const int BlockBytes = 4 * 1024;

    readonly string file;
    readonly SafeFileHandle handle;
    readonly List<byte[]> parts = [];
    byte[] block = [];

    /// <summary>Where the block begins in the file, and how much of it has not been examined.</summary>
    long blockStart;
    int left;

    /// <summary>The lines behind this position are done; -1 before the last line's end was found.</summary>
    long end = -1;

    LettersBackwards(string path, SafeFileHandle handle)
    {
        file = Path.GetFileName(path);
        this.handle = handle;
        blockStart = RandomAccess.GetLength(handle);
    }

    /// <summary>The letter that <see cref="Previous"/> found.</summary>
    public (DeadLetterId Id, DeadLetter Letter) Current { get; private set; }

    /// <summary>Null when the file is gone.</summary>
    public static LettersBackwards? Open(string path)
    {
        try
        {
            return new LettersBackwards(
                path,
                File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
            );
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Moves to the previous letter; false when there is none.</summary>
    public bool Previous()
    {
        while (PreviousLine() is var (offset, line))
        {
            if (!DeadLetter.TryParse(line, out var letter))
                continue;
            Current = (new DeadLetterId(file, offset), letter);
            return true;
        }
        return false;
    }

    public void Dispose() => handle.Dispose();

    (long Offset, string Line)? PreviousLine()
    {
        while (true)
        {
            if (left == 0 && !ReadBlock())
            {
                // The first line has no line break before it.
                if (end <= 0)
                    return null;
                end = 0;
                return (0, Take([]));
            }
            var at = block.AsSpan(0, left).LastIndexOf((byte)'\n');
            if (at < 0)
            {
                // Anything behind the last line break is still being written.
                if (end >= 0)
                    parts.Add(block[..left]);
                left = 0;
                continue;
            }
            var (isLast, rest) = (end < 0, block.AsSpan(at + 1, left - at - 1).ToArray());
            left = at;
            end = blockStart + at;
            if (!isLast)
                return (end + 1, Take(rest));
        }
    }

    /// <summary>The line that begins with <paramref name="first"/> and continues with the parts read earlier.</summary>
    string Take(byte[] first)
    {
        parts.Add(first);
        parts.Reverse();
        var line = Encoding.UTF8.GetString(parts.SelectMany(part => part).ToArray());
        parts.Clear();
        return line;
    }

    bool ReadBlock()
    {
        if (blockStart == 0)
            return false;
        var length = (int)Math.Min(BlockBytes, blockStart);
        blockStart -= length;
        block = new byte[length];
        for (var read = 0; read < length; )
        {
            var more = RandomAccess.Read(handle, block.AsSpan(read), blockStart + read);
            // Somebody cut the file.
            if (more == 0)
            {
                end = -1;
                return false;
            }
            read += more;
        }
        left = length;
        return true;
    }
}
