using System.IO.Compression;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Assembles rows into the bytes of one object. The caller disposes <see cref="Body"/> after the upload.</summary>
sealed class ObjectWriter
{
    /// <summary>The lowest level: higher ones take several times as long for a few per cent.</summary>
    const int ZstdLevel = 1;

    /// <summary>As a power of two: 256 KiB. Up to 32 objects are written at once, and each has a window.</summary>
    const int ZstdWindow = 18;

    readonly ObjectFormat format;
    readonly Stream target;

    public ObjectWriter(PlannedPart part, ObjectFormat format, ObjectCompression compression)
    {
        Part = part;
        this.format = format;
        target = compression switch
        {
            ObjectCompression.Gzip => new GZipStream(Body, CompressionLevel.Fastest, leaveOpen: true),
            ObjectCompression.Zstd => Zstandard(Body),
            _ => Body,
        };
    }

    public PlannedPart Part { get; }

    public ObjectBody Body { get; } = new();

    public int Rows { get; private set; }

    /// <summary>Bytes before compression; the loader charges for these.</summary>
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

    /// <summary>Call it after the last row.</summary>
    public void Complete()
    {
        if (format == ObjectFormat.Array)
            Write("\n]\n"u8);
        if (target != Body)
            target.Dispose();
    }

    static CompressionStream Zstandard(Stream body)
    {
        var stream = new CompressionStream(body, ZstdLevel, leaveOpen: true);
        stream.SetParameter(ZSTD_cParameter.ZSTD_c_windowLog, ZstdWindow);
        // Without the checksum, an object damaged later could be read as other rows.
        stream.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        return stream;
    }

    void Write(ReadOnlySpan<byte> bytes)
    {
        target.Write(bytes);
        UncompressedBytes += bytes.Length;
    }
}
