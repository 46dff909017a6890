using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// A small file of /proc or /sys that is read repeatedly. It is opened once; each read starts at its beginning, which makes the kernel
/// generate it again, and uses the same buffer. Not thread-safe.
/// </summary>
sealed class KernelFile(string path, int maxBytes = 4096) : IDisposable
{
    readonly byte[] buffer = new byte[maxBytes];
    SafeFileHandle? handle;

    public string Path { get; } = path;

    /// <summary>Its first bytes, valid until the next call; empty when it cannot be read now. Does not throw.</summary>
    public ReadOnlySpan<byte> Read()
    {
        try
        {
            handle ??= File.OpenHandle(Path);
            return buffer.AsSpan(0, RandomAccess.Read(handle, buffer, 0));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The device behind it may reappear under the same name.
            handle?.Dispose();
            handle = null;
            return default;
        }
    }

    /// <summary>The number in its first line; null when there is none.</summary>
    public long? ReadNumber() => Utf8Parser.TryParse(Read(), out long value, out _) ? value : null;

    public void Dispose() => handle?.Dispose();
}
