using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Journal;

enum ScanStatus
{
    Frame,

    /// <summary>Exactly at the limit: nothing more, nothing missing.</summary>
    End,

    /// <summary>Bytes before the limit that are not a good frame, or cannot be read.</summary>
    Damaged,
}

/// <summary>Reads the frames of one segment file in order. For one thread.</summary>
sealed class SegmentScanner : IDisposable
{
    const int ReadBytes = 64 * 1024;

    /// <summary>
    /// Checksum work that the search for a later frame may cost, in bytes (some 0.1 s). A search that gives up says "yes",
    /// because keeping bytes that are worth nothing does less harm than dropping others.
    /// </summary>
    const long SearchBudget = 256 * 1024 * 1024;

    readonly Disk disk;
    readonly string path;
    SafeFileHandle file;
    byte[] buffer;
    long bufferAt;
    int bufferLength;

    /// <param name="disk">How files are read.</param>
    /// <param name="path">The segment file.</param>
    /// <param name="buffer">The buffer of a scanner that is no longer used, to go on with.</param>
    /// <exception cref="IOException">It cannot be opened, maybe only now: that says nothing about what is in it.</exception>
    public SegmentScanner(Disk disk, string path, byte[]? buffer = null)
    {
        this.disk = disk;
        this.path = path;
        file = disk.OpenToRead(path);
        this.buffer = buffer ?? new byte[ReadBytes];
    }

    public byte[] Buffer => buffer;

    /// <summary>A scanner of a file that may be gone: null if it is.</summary>
    /// <exception cref="IOException">It is there and cannot be opened, maybe only now: whoever took that for "gone" would skip what is in it.</exception>
    public static SegmentScanner? TryOpen(Disk disk, string path, byte[]? buffer = null)
    {
        try
        {
            return new SegmentScanner(disk, path, buffer);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>File position of the next frame.</summary>
    public long Position { get; set; } = SegmentHeader.Bytes;

    public long FileLength => RandomAccess.GetLength(file);

    /// <returns>Null if the header is damaged or cannot be read.</returns>
    /// <exception cref="IOException">An intact header of a later version of the format.</exception>
    public SegmentHeader? ReadHeader()
    {
        Span<byte> bytes = stackalloc byte[SegmentHeader.Bytes];
        try
        {
            if (disk.Read(file, bytes, 0) < bytes.Length)
                return null;
        }
        catch (IOException)
        {
            return null;
        }

        return SegmentHeader.Parse(bytes, path);
    }

    /// <param name="limit">File position that must not be read past.</param>
    /// <param name="count">Readings in the frame; 0 for a time mark or a kind of frame that is not known.</param>
    /// <param name="payload">Valid until the next call.</param>
    /// <exception cref="IOException">For a second look at what seems damaged, the file cannot be opened now. The position is as before.</exception>
    public ScanStatus Read(long limit, out int count, out ReadOnlyMemory<byte> payload)
    {
        (count, payload) = (0, default);
        if (Position >= limit)
            return Position == limit ? ScanStatus.End : ScanStatus.Damaged;
        // A device that failed for a moment gives the bytes when it is asked again, and what is called damaged is skipped for good.
        return ReadFrame(limit, out count, out payload) || (Reopen() && ReadFrame(limit, out count, out payload)) ? ScanStatus.Frame : ScanStatus.Damaged;
    }

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

    /// <returns>False if the file is gone: then what was read of it stands.</returns>
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

    /// <summary>Whether any good frame lies between the damage at the current position and the end of the file.</summary>
    public bool AnyFrameFollows(long length)
    {
        // A changed payload leaves the frame's own length right: its neighbour is where it should be.
        var damaged = Position;
        try
        {
            var all = new byte[(int)Math.Min(length - damaged, 2 * Frame.MaxPayloadBytes)];
            var read = 0;
            while (read < all.Length && disk.Read(file, all.AsSpan(read), damaged + read) is var more and > 0)
                read += more;
            ReadOnlySpan<byte> data = all.AsSpan(0, read);
            _ = Frame.TryParse(data, out var size, out _, out _);
            if (size < data.Length && Frame.TryParse(data[size..], out _, out _, out _) == FrameStatus.Valid)
                return true;
            var work = 0L;
            for (var at = 1; at <= data.Length - Frame.MinBytes; at++)
            {
                var status = Frame.TryParse(data[at..], out size, out _, out var payloadStart);
                if (status == FrameStatus.Valid)
                    return true;
                // Only where header and length fit was a checksum computed.
                if (status == FrameStatus.Invalid && payloadStart > 0)
                    work += size;
                if (work > SearchBudget)
                    return true;
            }

            return read < length - damaged;
        }
        catch (IOException)
        {
            return true;
        }
    }

    public void Dispose() => file.Dispose();

    bool Fill(int needed, long limit)
    {
        if (needed > buffer.Length)
            buffer = new byte[Math.Max(needed, Math.Min(buffer.Length * 2, Frame.MaxPayloadBytes + 64))];
        bufferAt = Position;
        bufferLength = 0;
        var wanted = (int)Math.Min(buffer.Length, limit - Position);
        try
        {
            while (bufferLength < wanted && disk.Read(file, buffer.AsSpan(bufferLength, wanted - bufferLength), bufferAt + bufferLength) is var read and > 0)
                bufferLength += read;
        }
        catch (IOException)
        {
            // What came before the bad sector is still good.
        }

        return bufferLength >= needed;
    }
}
