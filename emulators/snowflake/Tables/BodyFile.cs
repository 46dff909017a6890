using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The bodies of a table's appends, one after another in a file, as they came over the wire. The table's database holds the start of each.
/// Writes must not overlap; reads may overlap everything.
/// </summary>
/// <remarks>
/// They are not in the database because SQLite writes everything twice, in pages of 4 KiB: that is ten times slower for a body of a
/// megabyte.
/// </remarks>
sealed class BodyFile : IDisposable
{
    readonly string path;
    readonly SafeFileHandle file;

    /// <param name="path">The file.</param>
    /// <param name="access">Reading, or reading and writing, which creates the file.</param>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public BodyFile(string path, FileAccess access)
    {
        this.path = path;
        file = File.OpenHandle(path, access == FileAccess.Read ? FileMode.Open : FileMode.OpenOrCreate, access, FileShare.ReadWrite);
    }

    /// <summary>Writes a body. It survives a kill of the process; see <see cref="Flush"/> for a power cut.</summary>
    /// <param name="body">The body.</param>
    /// <param name="offset">Its start. Existing data there is overwritten.</param>
    /// <exception cref="IOException">The disk refuses it.</exception>
    public void Write(ReadOnlyMemory<byte> body, long offset) => RandomAccess.Write(file, body.Span, offset);

    /// <summary>Everything written so far survives a power cut once this returns.</summary>
    public void Flush() => RandomAccess.FlushToDisk(file);

    /// <summary>Reads a body.</summary>
    /// <exception cref="InvalidDataException">The file ends too early, or the bytes do not match the checksum.</exception>
    public byte[] Read(long offset, int length, uint crc32C)
    {
        var body = new byte[length];
        var filled = 0;
        for (int read; filled < length && (read = RandomAccess.Read(file, body.AsSpan(filled), offset + filled)) > 0; )
            filled += read;
        return filled == length && Crc32C.Of(body) == crc32C
            ? body
            : throw new InvalidDataException(
                $"{path} is damaged: the rows at byte {offset} do not match their checksum. Check the storage (dmesg, SD card)."
            );
    }

    /// <summary>Removes every body.</summary>
    public void Clear()
    {
        RandomAccess.SetLength(file, 0);
        Flush();
    }

    public void Dispose() => file.Dispose();
}
