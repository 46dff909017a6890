using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Decodes a body in <c>aws-chunked</c> coding: <c>size[;chunk-signature=…] CRLF data CRLF</c> for each chunk, a chunk of size 0, the
/// trailer and an empty line. Never holds more than one block from the connection. Not safe for concurrent use.
/// </summary>
/// <param name="input">The body as it arrives.</param>
/// <param name="signature">Verifies chunks and trailer; null if they are not signed.</param>
sealed class AwsChunkedBody(PipeReader input, AwsSignature? signature)
{
    const int MaxLine = 1024;
    const int MaxTrailers = 16;
    readonly Dictionary<string, string> trailer = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The headers after the body; complete once <see cref="CopyAsync"/> has returned.</summary>
    public IReadOnlyDictionary<string, string> Trailer => trailer;

    /// <summary>Passes on the content block by block.</summary>
    /// <exception cref="S3Exception">The coding is broken, a signature is wrong, or the body ends too early.</exception>
    public async Task CopyAsync(Func<ReadOnlyMemory<byte>, ValueTask> write, CancellationToken cancel)
    {
        using var hash = signature is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (true)
        {
            var (size, chunkSignature) = Head(await LineAsync(cancel));
            for (var left = size; left > 0; )
            {
                var read = await input.ReadAsync(cancel);
                var block = read.Buffer.First;
                if (block.Length > left)
                    block = block[..(int)left];
                try
                {
                    if (block.IsEmpty)
                        throw TooShort();
                    hash?.AppendData(block.Span);
                    await write(block);
                    left -= block.Length;
                }
                finally
                {
                    // Also after an error: Kestrel cannot skip the rest of the body while a read is open.
                    input.AdvanceTo(read.Buffer.GetPosition(block.Length));
                }
            }
            signature?.VerifyChunk(chunkSignature, Convert.ToHexStringLower(hash!.GetHashAndReset()));
            if (size == 0)
                break;
            if ((await LineAsync(cancel)).Length > 0)
                throw Broken("a chunk is longer than its head says");
        }
        await ReadTrailerAsync(cancel);
    }

    static (long Size, string Signature) Head(string line)
    {
        const string Extension = "chunk-signature=";
        var parts = line.Split(';', 2);
        if (!long.TryParse(parts[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size) || size < 0)
            throw Broken("a chunk does not start with its size in hex");
        return (size, parts.Length > 1 && parts[1].StartsWith(Extension, StringComparison.Ordinal) ? parts[1][Extension.Length..] : "");
    }

    async Task ReadTrailerAsync(CancellationToken cancel)
    {
        const string TrailerSignature = "x-amz-trailer-signature";
        var signed = new StringBuilder();
        for (string line; (line = await LineAsync(cancel, endIsEmptyLine: true)).Length > 0; )
        {
            var mark = line.IndexOf(':', StringComparison.Ordinal);
            if (mark <= 0 || trailer.Count == MaxTrailers)
                throw Broken("the trailer is not a few lines of name:value");
            var (name, value) = (line[..mark].Trim().ToLowerInvariant(), line[(mark + 1)..].Trim());
            trailer[name] = value;
            if (name != TrailerSignature)
                signed.Append(CultureInfo.InvariantCulture, $"{name}:{value}\n");
        }
        if (signature is not null && signed.Length > 0)
            signature.VerifyTrailer(trailer.GetValueOrDefault(TrailerSignature, ""), signed.ToString());
    }

    async Task<string> LineAsync(CancellationToken cancel, bool endIsEmptyLine = false)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancel);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Encoding.Latin1.GetString(read.Buffer.Slice(0, end)).TrimEnd('\r');
                input.AdvanceTo(read.Buffer.GetPosition(1, end));
                return line.Length <= MaxLine ? line : throw Broken("a line is too long");
            }
            var (length, completed) = (read.Buffer.Length, read.IsCompleted);
            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (length > MaxLine)
                throw Broken("a line is too long");
            if (completed)
                return endIsEmptyLine && length == 0 ? "" : throw TooShort();
        }
    }

    static S3Exception Broken(string how) => new(400, "InvalidRequest", $"The body is not in aws-chunked coding: {how}.");

    static S3Exception TooShort() => new(400, "IncompleteBody", "The request body terminated unexpectedly.");
}
