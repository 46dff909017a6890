using System.Buffers;
using System.Security.Cryptography;
using ThermalStreaming.Journal;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// The bytes of one object in memory, in pooled pieces: written once from the start, then read and sought as often as signing and retries
/// need. Reading and disposing exclude each other: an abandoned HTTP request may still be reading, and must not find another object's bytes
/// in the pieces that this one returned to the pool.
/// </summary>
sealed class ObjectBody : Stream
{
    /// <summary>Below the threshold of the large object heap.</summary>
    const int LargestPiece = 64 * 1024;

    /// <summary>A date with a single late reading must not cost a large piece.</summary>
    const int FirstPiece = 4 * 1024;

    readonly Lock gate = new();
    readonly List<Piece> pieces = [];
    long length;
    long position;
    int current;
    bool disposed;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => true;

    public override long Length => length;

    public override long Position
    {
        get => position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            position = value;
            current = 0;
        }
    }

    /// <summary>Appends, regardless of the read position.</summary>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        while (!buffer.IsEmpty)
        {
            if (pieces.Count == 0 || pieces[^1].Free == 0)
                pieces.Add(
                    new Piece(
                        length,
                        ArrayPool<byte>.Shared.Rent(pieces.Count == 0 ? FirstPiece : Math.Min(pieces[^1].Bytes.Length * 4, LargestPiece))
                    )
                );
            var piece = pieces[^1];
            var count = Math.Min(piece.Free, buffer.Length);
            buffer[..count].CopyTo(piece.Bytes.AsSpan(piece.Used));
            piece.Used += count;
            length += count;
            buffer = buffer[count..];
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Checksums of all bytes; SHA-256 only if requested.</summary>
    public ContentDigest Digest(bool withSha256)
    {
#pragma warning disable CA5351 // MD5 is what an ETag holds. It guards against accidents, not against forgery.
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
        using var sha256 = withSha256 ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        var crc = 0u;
        foreach (var piece in pieces)
        {
            var bytes = piece.Bytes.AsSpan(0, piece.Used);
            md5.AppendData(bytes);
            sha256?.AppendData(bytes);
            crc = Crc32C.Append(crc, bytes);
        }
        return new ContentDigest(md5.GetHashAndReset(), crc, sha256?.GetHashAndReset());
    }

    public override int Read(Span<byte> buffer)
    {
        using var _ = gate.EnterScope();
        ObjectDisposedException.ThrowIf(disposed, this);
        while (current < pieces.Count && pieces[current].End <= position)
            current++;
        if (current == pieces.Count || buffer.IsEmpty)
            return 0;
        var piece = pieces[current];
        var from = (int)(position - piece.Start);
        var count = Math.Min(piece.Used - from, buffer.Length);
        piece.Bytes.AsSpan(from, count).CopyTo(buffer);
        position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Read(buffer.Span));

    public override long Seek(long offset, SeekOrigin origin) =>
        Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => position + offset,
            _ => length + offset,
        };

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush() { }

    protected override void Dispose(bool disposing)
    {
        lock (gate)
        {
            disposed = true;
            foreach (var piece in pieces)
                ArrayPool<byte>.Shared.Return(piece.Bytes);
            pieces.Clear();
        }
        base.Dispose(disposing);
    }

    sealed class Piece(long start, byte[] bytes)
    {
        public byte[] Bytes { get; } = bytes;

        public long Start { get; } = start;

        public int Used { get; set; }

        public int Free => Bytes.Length - Used;

        public long End => Start + Used;
    }
}
