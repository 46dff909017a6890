using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Splits a body of NDJSON into its lines without ever holding all of it uncompressed.</summary>
static class RowBody
{
    /// <summary>A body with more bytes uncompressed is refused as an attack.</summary>
    public const long MaxUncompressed = 256L * 1024 * 1024;

    /// <summary>A longer single line is refused (bytes).</summary>
    public const int MaxLine = 32 * 1024 * 1024;

    // A frame can demand a window of gigabytes; 2^26 bytes are 64 MiB.
    const int MaxZstdWindowLog = 26;

    /// <summary>
    /// Calls <paramref name="handler"/> for every line that is not blank, in order. A last line without a line feed counts.
    /// </summary>
    /// <param name="body">The body.</param>
    /// <param name="encoding">How it is compressed.</param>
    /// <param name="handler">
    /// Receives the number of a line, from 0, and the line, which is valid during the call. False stops reading.
    /// </param>
    /// <returns>Uncompressed size in bytes.</returns>
    /// <exception cref="InvalidDataException">The body does not match its encoding, or is too large.</exception>
    public static long ForEachLine(ReadOnlyMemory<byte> body, RowEncoding encoding, Func<int, ReadOnlySpan<byte>, bool> handler)
    {
        var index = 0;
        if (encoding == RowEncoding.Identity)
        {
            var rest = body.Span;
            if (SplitLines(ref rest, ref index, handler))
                Line(rest, ref index, handler);
            return body.Length;
        }

        using var plain = Decompress(body, encoding);
        var buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
        try
        {
            var filled = 0;
            long total = 0;
            for (int read; (read = Read(plain, buffer.AsSpan(filled))) > 0; )
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

    /// <summary>The plain bytes of a gzip or zstd body. Bad data throws the exceptions of its decoder.</summary>
    public static Stream Decompress(ReadOnlyMemory<byte> body, RowEncoding encoding)
    {
        var bytes = MemoryMarshal.TryGetArray(body, out var array) ? array : new ArraySegment<byte>(body.ToArray());
        var compressed = new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false);
        if (encoding == RowEncoding.Gzip)
            return new GZipStream(compressed, CompressionMode.Decompress);
        var zstd = new DecompressionStream(compressed);
        zstd.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, MaxZstdWindowLog);
        return zstd;
    }

    /// <exception cref="InvalidDataException">The data is damaged, ends too early, or asks for too large a window.</exception>
    static int Read(Stream plain, Span<byte> buffer)
    {
        try
        {
            return plain.Read(buffer);
        }
        catch (Exception e) when (e is ZstdException or EndOfStreamException)
        {
            throw new InvalidDataException($"bad zstd data: {e.Message}", e);
        }
    }

    /// <summary>
    /// GZipStream does not detect data that ends too early. Complete data ends with its size or, if it has several members, with the size
    /// of the last.
    /// </summary>
    static void CheckGzipEnd(ReadOnlySpan<byte> body, long total)
    {
        var size = body.Length < 18 ? uint.MaxValue : BinaryPrimitives.ReadUInt32LittleEndian(body[^4..]);
        if (size != (uint)total && !(size < total && HasSecondMember(body)))
            throw new InvalidDataException("the gzip data ends too early");
    }

    static bool HasSecondMember(ReadOnlySpan<byte> body) => body[1..].IndexOf((ReadOnlySpan<byte>)[0x1F, 0x8B, 0x08]) >= 0;

    static bool SplitLines(ref ReadOnlySpan<byte> rest, ref int index, Func<int, ReadOnlySpan<byte>, bool> handler)
    {
        for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
        {
            if (!Line(rest[..end], ref index, handler))
                return false;
        }
        return true;
    }

    static bool Line(ReadOnlySpan<byte> line, ref int index, Func<int, ReadOnlySpan<byte>, bool> handler)
    {
        line = line.Trim(" \t\r"u8);
        if (index == 0 && line.StartsWith("\uFEFF"u8))
            line = line[3..];
        return line.Length == 0 || handler(index++, line);
    }
}
