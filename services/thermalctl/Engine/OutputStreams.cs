using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The two outputs of a process without a terminal, as Docker sends them in one stream. A frame is a byte for the output (1 or 2), three
/// unused bytes, the length (big-endian), and the bytes. Each method reads to the end; of a truncated frame, the received part counts.
/// </summary>
static class OutputStreams
{
    const int HeaderBytes = 8;
    const byte ErrorStream = 2;

    public static async Task<(string Output, string Errors)> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var output = new MemoryStream();
        using var errors = new MemoryStream();
        await foreach (var (source, bytes) in FramesAsync(stream, cancellationToken))
            (source == ErrorStream ? errors : output).Write(bytes.Span);
        return (Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(errors.ToArray()));
    }

    /// <summary>Both outputs as one text, in the order of arrival.</summary>
    public static async Task<string> ReadMergedAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var text = new MemoryStream();
        await foreach (var (_, bytes) in FramesAsync(stream, cancellationToken))
            text.Write(bytes.Span);
        return Encoding.UTF8.GetString(text.ToArray());
    }

    static async IAsyncEnumerable<(byte Source, ReadOnlyMemory<byte> Bytes)> FramesAsync(
        Stream stream,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var header = new byte[HeaderBytes];
        while (await stream.ReadAtLeastAsync(header, HeaderBytes, throwOnEndOfStream: false, cancellationToken) == HeaderBytes)
        {
            var bytes = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4))];
            var read = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
            yield return (header[0], bytes.AsMemory(0, read));
        }
    }
}
