using System.Buffers;
using Microsoft.Win32.SafeHandles;
using ZstdSharp;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The rows of a file until all of it has been read, because it is loaded as a whole or not at all. They wait in a separate file,
/// compressed, so that a large file takes no more memory than a small one. Not safe for concurrent use.
/// </summary>
sealed class LoadSpool : IDisposable
{
    // Uncompressed bytes of a chunk. A reader holds one.
    const int ChunkBytes = 1024 * 1024;
    const int CompressionLevel = 3;

    readonly SafeFileHandle file;
    readonly ArrayBufferWriter<byte> chunk = new(64 * 1024);
    readonly List<LoadedChunk> chunks = [];
    readonly Compressor compressor = new(CompressionLevel);
    int rows;
    long end;

    /// <param name="directory">The directory of the file; created if missing.</param>
    /// <exception cref="IOException">The disk refuses.</exception>
    public LoadSpool(string directory)
    {
        Directory.CreateDirectory(directory);
        file = File.OpenHandle(
            Path.Combine(directory, $"{Guid.NewGuid():N}.part"),
            FileMode.CreateNew,
            FileAccess.ReadWrite,
            FileShare.None,
            FileOptions.DeleteOnClose
        );
    }

    /// <summary>Removes files that a killed process left in a directory.</summary>
    public static void Clear(string directory)
    {
        if (!Directory.Exists(directory))
            return;
        foreach (var part in Directory.EnumerateFiles(directory, "*.part"))
            File.Delete(part);
    }

    /// <summary>How the chunks are compressed.</summary>
    public static RowEncoding Encoding => RowEncoding.Zstd;

    public IReadOnlyList<LoadedChunk> Chunks => chunks;

    /// <summary>Adds a row: a JSON object on one line, without its line end.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void Add(ReadOnlySpan<byte> row)
    {
        chunk.Write(row);
        chunk.Write("\n"u8);
        rows++;
        if (chunk.WrittenCount >= ChunkBytes)
            Complete();
    }

    /// <summary>Ends the current chunk; call it after the last row.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void Complete()
    {
        if (rows == 0)
            return;
        var compressed = compressor.Wrap(chunk.WrittenSpan);
        RandomAccess.Write(file, compressed, end);
        chunks.Add(new LoadedChunk(end, compressed.Length, rows, Crc32C.Of(compressed)));
        end += compressed.Length;
        rows = 0;
        chunk.ResetWrittenCount();
    }

    /// <summary>The bytes of a chunk.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public byte[] Read(LoadedChunk part)
    {
        var bytes = new byte[part.Length];
        var filled = 0;
        for (int read; filled < bytes.Length && (read = RandomAccess.Read(file, bytes.AsSpan(filled), part.Offset + filled)) > 0; )
            filled += read;
        return filled == bytes.Length ? bytes : throw new IOException("The file of rows to be loaded was truncated.");
    }

    public void Dispose()
    {
        compressor.Dispose();
        file.Dispose();
    }
}
