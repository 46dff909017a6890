using System.Security.Cryptography;

namespace ThermalStreaming.Thermalctl;

/// <summary>Reads a file that should have a certain size, and hashes what is read. Not thread-safe.</summary>
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

    // The writer of an archive asks a stream that it can seek for its length, and puts others into memory.
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

    /// <summary>SHA-256 of the content, once all of it was read.</summary>
    /// <exception cref="IOException">The file has another size by now.</exception>
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
