using System.Buffers;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The append endpoint whose body is the rows. Safe for concurrent use.</summary>
sealed class RowsApi(Appender appender)
{
    /// <summary>Most bytes of a body of rows on the wire.</summary>
    public const int MaxBody = 4 * 1024 * 1024;

    /// <summary>POST: appends rows to a channel.</summary>
    public async Task Append(HttpContext call)
    {
        var append = Appender.Begin(call);
        var encoding = EncodingOf(call);
        if (call.Request.ContentLength > MaxBody)
            throw TooLarge(call.Request.ContentLength.Value);
        var buffer = ArrayPool<byte>.Shared.Rent((int)(call.Request.ContentLength ?? MaxBody) + 1);
        try
        {
            var length = await ReadBody(call, buffer);
            if (length > MaxBody)
                throw TooLarge(length);
            var query = call.Request.Query;
            // endOffsetToken is documented now, offsetToken was documented before.
            var tokens = new OffsetTokens(
                query["startOffsetToken"],
                query.ContainsKey("endOffsetToken") ? query["endOffsetToken"] : query["offsetToken"]
            );
            await appender.Append(call, append, new RowsToAppend(encoding, buffer.AsMemory(0, length), tokens));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    static RowEncoding EncodingOf(HttpContext call) =>
        call.Request.Headers.ContentEncoding.ToString().Trim().ToLowerInvariant() switch
        {
            "" or "identity" => RowEncoding.Identity,
            "gzip" or "x-gzip" => RowEncoding.Gzip,
            "zstd" => RowEncoding.Zstd,
            var other => throw new RefusedException(
                415,
                "ERR_UNSUPPORTED_CONTENT_ENCODING",
                $"Content-Encoding {other} is not supported. Use gzip, zstd or none."
            ),
        };

    static RefusedException TooLarge(long length) =>
        new(
            413,
            "ERR_REQUEST_BODY_TOO_LARGE",
            $"The body has {length} bytes or more on the wire; {MaxBody} is the most. Send fewer rows per request, or compress them."
        );

    /// <summary>Reads the body to its end, or until it is longer than <see cref="MaxBody"/>.</summary>
    static async Task<int> ReadBody(HttpContext call, byte[] buffer)
    {
        var most = Math.Min(buffer.Length, MaxBody + 1);
        var length = 0;
        while (length < most)
        {
            var read = await call.Request.Body.ReadAsync(buffer.AsMemory(length, most - length), call.RequestAborted);
            if (read == 0)
                break;
            length += read;
        }
        return length;
    }
}
