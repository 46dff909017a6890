using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Detects how a file is compressed, and decompresses it.</summary>
static class Decompression
{
    // A frame can demand a window of gigabytes; 2^26 bytes are 64 MiB.
    const int MaxZstdWindowLog = 26;

    /// <summary>The decompressed content of a file.</summary>
    /// <param name="content">The file; disposed with the result.</param>
    /// <param name="name">Its name, which may show the compression.</param>
    /// <param name="declared">The compression in the file format.</param>
    /// <param name="cancellationToken">Ends the wait for the first bytes.</param>
    public static async Task<(Stream Plain, FileCompression Compression)> OpenAsync(
        Stream content,
        string name,
        FileCompression declared,
        CancellationToken cancellationToken
    )
    {
        var head = new byte[4];
        var length = await content.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        var whole = new ChainedStream(new MemoryStream(head, 0, length), content);
        var compression = declared == FileCompression.Auto ? Detect(name, head.AsSpan(0, length)) : declared;
        return (
            compression switch
            {
                FileCompression.Gzip => new WholeGzipStream(whole),
                FileCompression.Zstd => Zstd(whole),
                _ => whole,
            },
            compression
        );
    }

    static FileCompression Detect(string name, ReadOnlySpan<byte> head) =>
        head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) || name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? FileCompression.Gzip
        : head.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) || name.EndsWith(".zst", StringComparison.OrdinalIgnoreCase)
            ? FileCompression.Zstd
        : FileCompression.None;

    static DecompressionStream Zstd(Stream content)
    {
        var zstd = new DecompressionStream(content, leaveOpen: false);
        zstd.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, MaxZstdWindowLog);
        return zstd;
    }
}
