using System.Security.Cryptography;

namespace ThermalStreaming.Thermalctl;

/// <summary>Reads a file that should have a given size, and hashes the bytes. Not thread-safe.</summary>
sealed class MeasuredStream : Stream
{
    readonly FileStream file;
    readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly CancellationToken cancellationToken;
    readonly string name;
    readonly long size;
    long position;

    /// <exception cref="IOException">It cannot be opened.</exception>
    public MeasuredStream(string path, long size, CancellationToken cancellationToken)
    {
        this.size = size;
        this.cancellationToken = cancellationToken;
        file = new FileStream(SystemCalls.OpenToRead(path), FileAccess.Read, bufferSize: 0);
        name = path;
    }

    public override bool CanRead => true;

    // The archive writer asks a seekable stream for its length, and buffers other streams in memory.
    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => size;

    public override long Position
    {
        get => position;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <exception cref="IOException">The file is shorter than it was, or cannot be read.</exception>
    public override int Read(Span<byte> buffer)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var wanted = (int)Math.Min(buffer.Length, size - position);
        if (wanted == 0)
            return 0;
        var read = file.Read(buffer[..wanted]);
        if (read == 0)
            throw new IOException($"{name} ended after {position} of {size} bytes: something wrote to it");
        hash.AppendData(buffer[..read]);
        position += read;
        return read;
    }

    /// <summary>SHA-256 of the content, after reading all of it.</summary>
    /// <exception cref="IOException">The file's size has changed.</exception>
    public string Finish()
    {
        if (position != size || file.Length != size)
            throw new IOException($"{name} had {size} bytes and has {file.Length} now: something wrote to it");
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            file.Dispose();
            hash.Dispose();
        }
        base.Dispose(disposing);
    }
}
