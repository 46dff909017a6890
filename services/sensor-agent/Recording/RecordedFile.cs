using ThermalStreaming.Hosting;

namespace ThermalStreaming.SensorAgent;

/// <summary>Reads a recorded file line by line, from any place in it. Not thread-safe.</summary>
sealed class RecordedFile : IDisposable
{
    /// <summary>A row has some 700 bytes.</summary>
    public const int LongestLine = 1 << 20;

    const int ChunkLength = 64 * 1024;

    readonly FileStream stream;
    byte[] buffer = new byte[ChunkLength];
    int from,
        to;

    /// <param name="path">The file.</param>
    /// <param name="position">Where a line begins.</param>
    /// <param name="line">How many lines precede it.</param>
    /// <exception cref="IOException">It cannot be read now.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public RecordedFile(string path, long position, long line)
    {
        stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        Seek(position, line);
    }

    /// <summary>Where the next line begins, in bytes.</summary>
    public long Position { get; private set; }

    /// <summary>Number of the line read last, from 1; 0 before the first.</summary>
    public long Line { get; private set; }

    /// <summary>Whether the line read last is the last of the file and has no line end: somebody may still be writing it.</summary>
    public bool IsUnfinished { get; private set; }

    /// <summary>Up to <paramref name="most"/> bytes before a position of the open file.</summary>
    /// <exception cref="IOException">It cannot be read now.</exception>
    public byte[] Before(long position, int most) => Before(stream, position, most);

    /// <exception cref="IOException">It cannot be read now.</exception>
    public static byte[] Before(FileStream stream, long position, int most)
    {
        var bytes = new byte[(int)Math.Min(position, most)];
        var read = 0;
        while (
            read < bytes.Length
            && RandomAccess.Read(stream.SafeFileHandle, bytes.AsSpan(read), position - bytes.Length + read) is > 0 and var more
        )
            read += more;
        return bytes[..read];
    }

    public void Seek(long position, long line)
    {
        stream.Seek(position, SeekOrigin.Begin);
        (Position, Line, from, to) = (position, line, 0, 0);
    }

    /// <summary>Reads the next line, without its line end.</summary>
    /// <param name="line">Valid until the next call; empty when it is blank, or longer than <see cref="LongestLine"/>.</param>
    /// <param name="isTooLong">Whether it is longer.</param>
    /// <returns>False at the end of the file. A last line without a line end counts as a line.</returns>
    public bool TryRead(out ReadOnlyMemory<byte> line, out bool isTooLong)
    {
        var searched = 0;
        IsUnfinished = false;
        isTooLong = false;
        line = default;
        while (true)
        {
            var at = buffer.AsSpan(from + searched, to - from - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                line = Take(searched + at, searched + at + 1, isTooLong);
                return true;
            }
            searched = to - from;
            if (searched > LongestLine)
            {
                isTooLong = true;
                (from, searched, Position) = (to, 0, Position + searched);
            }
            if (!Fill())
            {
                if (searched == 0 && !isTooLong)
                    return false;
                IsUnfinished = true;
                line = Take(searched, searched, isTooLong);
                return true;
            }
        }
    }

    /// <summary>Why the file cannot be replayed; null if it can. Completes "REPLAY_FILE is '…', …".</summary>
    public static string? Problem(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return stream.ReadByte() == 0x1F && stream.ReadByte() == 0x8B ? "which is compressed; unpack it with gunzip" : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Directory.Exists(path)
                ? "which is a directory; name a file in it"
                : $"which cannot be read ({Settings.Reason(e)}); correct the path or the file's permissions, and mount it into a container";
        }
    }

    public void Dispose() => stream.Dispose();

    ReadOnlyMemory<byte> Take(int length, int consumed, bool isTooLong)
    {
        var line = isTooLong ? default : buffer.AsMemory(from, length).Trim(" \t\r"u8);
        from += consumed;
        Position += consumed;
        Line++;
        return line;
    }

    bool Fill()
    {
        if (from > 0)
        {
            buffer.AsSpan(from, to - from).CopyTo(buffer);
            (from, to) = (0, to - from);
        }
        if (to == buffer.Length)
            Array.Resize(ref buffer, 2 * buffer.Length);
        var read = stream.Read(buffer, to, buffer.Length - to);
        to += read;
        return read > 0;
    }
}
