using System.IO.Compression;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Puts rows together to the bytes of one object. The caller disposes <see cref="Body"/> when it is uploaded.</summary>
sealed class ObjectWriter
{
    readonly ObjectFormat format;
    readonly Stream target;

    public ObjectWriter(PlannedPart part, ObjectFormat format, ObjectCompression compression)
    {
        Part = part;
        this.format = format;
        target = compression == ObjectCompression.Gzip ? new GZipStream(Body, CompressionLevel.Fastest, leaveOpen: true) : Body;
    }

    public PlannedPart Part { get; }

    public ObjectBody Body { get; } = new();

    public int Rows { get; private set; }

    /// <summary>Bytes before compression, which is what the loader charges for.</summary>
    public long UncompressedBytes { get; private set; }

    public void Add(ReadOnlySpan<byte> row)
    {
        if (format == ObjectFormat.Array)
            Write(Rows == 0 ? "[\n"u8 : ",\n"u8);
        Write(row);
        if (format == ObjectFormat.NdJson)
            Write("\n"u8);
        Rows++;
    }

    /// <summary>After the last row.</summary>
    public void Complete()
    {
        if (format == ObjectFormat.Array)
            Write("\n]\n"u8);
        if (target != Body)
            target.Dispose();
    }

    void Write(ReadOnlySpan<byte> bytes)
    {
        target.Write(bytes);
        UncompressedBytes += bytes.Length;
    }
}
