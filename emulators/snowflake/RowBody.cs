using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>How a body of rows is compressed, on the wire and on disk alike. The numbers are part of the file format.</summary>
enum RowEncoding : byte
{
    Identity = 0,
    Gzip = 1,
    Zstd = 2,
}

/// <summary>Receives each line of a body; the span is only good during the call. False ends the reading.</summary>
delegate bool LineHandler(int index, ReadOnlySpan<byte> line);

/// <summary>Splits a body of NDJSON into its lines without ever holding all of it uncompressed.</summary>
static class RowBody
{
    /// <summary>More than this uncompressed is taken for an attack and refused.</summary>
    public const long MaxUncompressed = 256L * 1024 * 1024;

    /// <summary>A longer single line is refused (bytes).</summary>
    public const int MaxLine = 32 * 1024 * 1024;

    /// <summary>
    /// Calls <paramref name="handler"/> for every line that is not blank, in order; indexes count those lines from 0. A last line
    /// without a line feed counts.
    /// </summary>
    /// <returns>Uncompressed size in bytes.</returns>
    /// <exception cref="InvalidDataException">The body is not what its encoding says, or too large.</exception>
    public static long ForEachLine(ReadOnlyMemory<byte> body, RowEncoding encoding, LineHandler handler)
    {
        var index = 0;
        if (encoding == RowEncoding.Identity)
        {
            var rest = body.Span;
            if (SplitLines(ref rest, ref index, handler))
                Line(rest, ref index, handler);
            return body.Length;
        }

        using Stream plain = encoding == RowEncoding.Gzip
            ? new GZipStream(new MemoryReader(body), CompressionMode.Decompress)
            : new ZstdStream(body);
        var buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
        try
        {
            var filled = 0;
            long total = 0;
            for (int read; (read = plain.Read(buffer, filled, buffer.Length - filled)) > 0;)
            {
                total += read;
                if (total > MaxUncompressed)
                    throw new InvalidDataException($"the body is larger than {MaxUncompressed} bytes uncompressed");
                filled += read;
                ReadOnlySpan<byte> rest = buffer.AsSpan(0, filled);
                if (!SplitLines(ref rest, ref index, handler))
                    return total;
                if (rest.Length == buffer.Length)
                {
                    if (buffer.Length >= MaxLine)
                        throw new InvalidDataException($"a line is longer than {MaxLine} bytes");
                    var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                    rest.CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
                else
                {
                    rest.CopyTo(buffer);
                    filled = rest.Length;
                }
            }
            if (encoding == RowEncoding.Gzip)
                CheckGzipEnd(body.Span, total);
            Line(buffer.AsSpan(0, filled), ref index, handler);
            return total;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// GZipStream takes data that ends too early for data that ends. Whole data ends with its size; if it is several members one
    /// after another, with the size of the last.
    /// </summary>
    static void CheckGzipEnd(ReadOnlySpan<byte> body, long total)
    {
        var size = body.Length < 18 ? uint.MaxValue : BinaryPrimitives.ReadUInt32LittleEndian(body[^4..]);
        if (size != (uint)total && !(size < total && HasSecondMember(body)))
            throw new InvalidDataException("the gzip data ends too early");
    }

    static bool HasSecondMember(ReadOnlySpan<byte> body) => body[1..].IndexOf((ReadOnlySpan<byte>)[0x1F, 0x8B, 0x08]) >= 0;

    static bool SplitLines(ref ReadOnlySpan<byte> rest, ref int index, LineHandler handler)
    {
        for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
        {
            if (!Line(rest[..end], ref index, handler))
                return false;
        }
        return true;
    }

    static bool Line(ReadOnlySpan<byte> line, ref int index, LineHandler handler)
    {
        line = line.Trim(" \t\r"u8);
        if (index == 0 && line.StartsWith("\uFEFF"u8))
            line = line[3..];
        return line.Length == 0 || handler(index++, line);
    }

    /// <summary>A stream over memory that may not be an array.</summary>
    sealed class MemoryReader(ReadOnlyMemory<byte> memory) : Stream
    {
        ReadOnlyMemory<byte> rest = memory;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            var count = Math.Min(buffer.Length, rest.Length);
            rest.Span[..count].CopyTo(buffer);
            rest = rest[count..];
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
