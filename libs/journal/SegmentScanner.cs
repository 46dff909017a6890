using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

/// <summary>Reads the frames of one segment file in order. For one thread.</summary>
sealed class SegmentScanner : IDisposable
{
    const int ReadBytes = 64 * 1024;

    readonly Disk disk;
    readonly string path;
    readonly List<(long From, long To)> unreadable = [];
    SafeFileHandle file;
    byte[] buffer;
    long bufferAt;
    int bufferLength;
    IOException? failure;

    /// <param name="disk">How files are read.</param>
    /// <param name="path">The segment file.</param>
    /// <param name="buffer">The buffer of a scanner that is no longer used.</param>
    /// <exception cref="IOException">The file cannot be opened now, which says nothing about what is in it.</exception>
    public SegmentScanner(Disk disk, string path, byte[]? buffer = null)
    {
        this.disk = disk;
        this.path = path;
        file = disk.OpenToRead(path);
        this.buffer = buffer ?? new byte[ReadBytes];
    }

    public byte[] Buffer => buffer;

    /// <summary>Whether blocks that the device cannot read count as zeros, instead of throwing.</summary>
    public bool SkipUnreadable { get; init; }

    /// <summary>The blocks that could not be read so far.</summary>
    public IReadOnlyList<(long From, long To)> Unreadable => unreadable;

    /// <summary>Opens a file that may be gone; null if it is.</summary>
    /// <exception cref="IOException">The file exists and cannot be opened now.</exception>
    public static SegmentScanner? TryOpen(Disk disk, string path, byte[]? buffer = null, bool skipUnreadable = false)
    {
        try
        {
            return new SegmentScanner(disk, path, buffer) { SkipUnreadable = skipUnreadable };
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>File position of the next frame.</summary>
    public long Position { get; set; } = SegmentHeader.Bytes;

    public long FileLength => RandomAccess.GetLength(file);

    /// <returns>Null if the header was read twice and is damaged, or is too short.</returns>
    /// <exception cref="IOException">The header cannot be read now, or is an intact one of a later version of the format.</exception>
    public SegmentHeader? ReadHeader()
    {
        Span<byte> bytes = stackalloc byte[SegmentHeader.Bytes];
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var header = ReadAt(bytes, 0) < bytes.Length ? null : SegmentHeader.Parse(bytes, path);
                if (header is not null || attempt > 0 || !Reopen())
                    return header;
            }
            catch (IOException) when (attempt == 0 && Reopen())
            {
                // The file has been reopened; read the header once more.
            }
        }
    }

    /// <param name="limit">File position that must not be read past.</param>
    /// <param name="count">Readings in the frame; 0 for a mark.</param>
    /// <param name="payload">Valid until the next call.</param>
    /// <exception cref="IOException">The device gave an error on the second attempt too, or the file cannot be opened now. The position is
    /// as before.</exception>
    public ScanStatus Read(long limit, out int count, out ReadOnlyMemory<byte> payload)
    {
        (count, payload) = (0, default);
        if (Position >= limit)
            return Position == limit ? ScanStatus.End : ScanStatus.Damaged;
        failure = null;
        if (ReadFrame(limit, out count, out payload))
            return ScanStatus.Frame;
        // A device that failed for a moment gives the bytes on a second attempt.
        if (Reopen())
        {
            failure = null;
            if (ReadFrame(limit, out count, out payload))
                return ScanStatus.Frame;
        }

        return failure is null ? ScanStatus.Damaged : throw failure;
    }

    /// <summary>
    /// Fills the buffer, up to the end of the file. With <see cref="SkipUnreadable"/>, blocks that cannot be read become zeros.
    /// </summary>
    /// <exception cref="IOException">They cannot be read now.</exception>
    public int ReadAt(Span<byte> bytes, long position)
    {
        if (SkipUnreadable)
            return disk.ReadPastDamage(file, bytes, position, Add);
        var length = 0;
        while (length < bytes.Length && disk.Read(file, bytes[length..], position + length) is > 0 and var read)
            length += read;
        return length;
    }

    /// <summary>Whether a block between two positions cannot be read.</summary>
    public bool IsUnreadable(long from, long to) => unreadable.Exists(block => block.From < to && block.To > from);

    public void Dispose() => file.Dispose();

    bool ReadFrame(long limit, out int count, out ReadOnlyMemory<byte> payload)
    {
        payload = default;
        while (true)
        {
            var start = (int)Math.Clamp(Position - bufferAt, 0, bufferLength);
            var available = (int)Math.Min(bufferLength - start, limit - Position);
            if (Position < bufferAt || Position > bufferAt + bufferLength)
                available = 0;
            var status = Frame.TryParse(buffer.AsSpan(start, available), out var size, out count, out var payloadStart);
            if (status == FrameStatus.Valid)
            {
                payload = buffer.AsMemory(start + payloadStart, size - payloadStart);
                Position += size;
                return true;
            }

            if (status == FrameStatus.Invalid || size > limit - Position || !Fill(size, limit))
                return false;
        }
    }

    /// <returns>False if the file is gone: then the first attempt counts.</returns>
    bool Reopen()
    {
        try
        {
            var again = disk.OpenToRead(path);
            file.Dispose();
            file = again;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }

        bufferLength = 0;
        return true;
    }

    bool Fill(int needed, long limit)
    {
        if (needed > buffer.Length)
            buffer = new byte[Math.Max(needed, Math.Min(buffer.Length * 2, Frame.MaxPayloadBytes + 64))];
        bufferAt = Position;
        bufferLength = 0;
        var wanted = (int)Math.Min(buffer.Length, limit - Position);
        if (!TryFill(wanted) && bufferLength < needed)
        {
            // The bad sector may lie behind the frame.
            bufferLength = 0;
            TryFill(needed);
        }

        if (bufferLength >= needed)
            failure = null;
        return bufferLength >= needed;
    }

    bool TryFill(int wanted)
    {
        try
        {
            if (SkipUnreadable)
                bufferLength = disk.ReadPastDamage(file, buffer.AsSpan(0, wanted), bufferAt, Add);
            while (
                bufferLength < wanted
                && disk.Read(file, buffer.AsSpan(bufferLength, wanted - bufferLength), bufferAt + bufferLength) is var read and > 0
            )
                bufferLength += read;
            return true;
        }
        catch (IOException e)
        {
            // The bytes before the bad sector are still good.
            failure = e;
            return false;
        }
    }

    void Add((long From, long To) block)
    {
        if (!unreadable.Contains(block))
            unreadable.Add(block);
    }
}
