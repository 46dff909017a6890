using System.Buffers;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The append endpoint whose body is the rows. Safe for concurrent use.</summary>
sealed class RowsApi(Appender appender)
{
    /// <summary>Most bytes of a body of rows on the wire.</summary>
    public const int MaxBody = 4 * 1024 * 1024;

    /// <summary>POST: appends rows to a channel.</summary>
    public async Task Append(HttpContext context, PipePath path, string channel)
    {
        if (await appender.Begin(context, path, channel, "append") is not { } call)
            return;
        if (!TryEncoding(context, out var encoding))
        {
            await Reply.Error(context, 415, "ERR_UNSUPPORTED_CONTENT_ENCODING",
                $"Content-Encoding {context.Request.Headers.ContentEncoding} is not supported; gzip, zstd and none are.");
            return;
        }
        if (context.Request.ContentLength > MaxBody)
        {
            await TooLarge(context, context.Request.ContentLength.Value);
            return;
        }
        if (!await Appender.Admit(context, call))
            return;
        var buffer = ArrayPool<byte>.Shared.Rent((int)(context.Request.ContentLength ?? MaxBody) + 1);
        try
        {
            var length = await ReadBody(context, buffer);
            if (length > MaxBody)
            {
                await TooLarge(context, length);
                return;
            }
            var query = context.Request.Query;
            var tokens = new OffsetTokens(query["startOffsetToken"], query.ContainsKey("endOffsetToken") ? query["endOffsetToken"] : query["offsetToken"]);
            await appender.Append(context, call, new RowsToAppend(encoding, buffer.AsMemory(0, length), tokens));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    static bool TryEncoding(HttpContext context, out RowEncoding encoding)
    {
        RowEncoding? found = context.Request.Headers.ContentEncoding.ToString().Trim().ToLowerInvariant() switch
        {
            "" or "identity" => RowEncoding.Identity,
            "gzip" or "x-gzip" => RowEncoding.Gzip,
            "zstd" => RowEncoding.Zstd,
            _ => null,
        };
        encoding = found ?? RowEncoding.Identity;
        return found is not null;
    }

    static Task TooLarge(HttpContext context, long length) => Reply.Error(context, 413, "ERR_REQUEST_BODY_TOO_LARGE",
        $"The body has {length} bytes or more on the wire; {MaxBody} is the most. Send fewer rows per request, or compress them");

    /// <summary>Reads the body until it ends or the buffer's limit is passed.</summary>
    static async Task<int> ReadBody(HttpContext context, byte[] buffer)
    {
        var most = Math.Min(buffer.Length, MaxBody + 1);
        var length = 0;
        while (length < most)
        {
            var read = await context.Request.Body.ReadAsync(buffer.AsMemory(length, most - length), context.RequestAborted);
            if (read == 0)
                break;
            length += read;
        }
        return length;
    }
}
