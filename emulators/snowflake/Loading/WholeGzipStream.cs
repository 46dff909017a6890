using System.IO.Compression;
using System.Security.Cryptography;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Decompresses gzip data and detects that it ends too early, which <see cref="GZipStream"/> does not.</summary>
/// <remarks>
/// Random bytes, compressed as a last member, are appended to the data. If they come out again at the end, everything before them was
/// complete. If the data was cut off, they are read as part of it and become something else.
/// </remarks>
sealed class WholeGzipStream : ReadingStream
{
    const int MarkLength = 16;

    readonly byte[] mark = RandomNumberGenerator.GetBytes(MarkLength);
    readonly byte[] buffer = new byte[64 * 1024];
    readonly GZipStream plain;
    int start;
    int end;

    /// <param name="source">The compressed data; disposed with this.</param>
    public WholeGzipStream(Stream source)
    {
        var member = new MemoryStream();
        using (var gzip = new GZipStream(member, CompressionLevel.NoCompression, leaveOpen: true))
            gzip.Write(mark);
        member.Position = 0;
        plain = new GZipStream(new ChainedStream(source, member), CompressionMode.Decompress);
    }

    /// <exception cref="InvalidDataException">The data is damaged, or ends too early.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken = default)
    {
        // The last bytes are held back: they may be the mark.
        while (end - start <= MarkLength)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
            var read = await plain.ReadAsync(buffer.AsMemory(end), cancellationToken);
            end += read;
            if (read > 0)
                continue;
            return buffer.AsSpan(0, end).SequenceEqual(mark) ? 0 : throw new InvalidDataException("the gzip data ends too early");
        }
        var count = Math.Min(target.Length, end - start - MarkLength);
        buffer.AsSpan(start, count).CopyTo(target.Span);
        start += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            plain.Dispose();
        base.Dispose(disposing);
    }
}
