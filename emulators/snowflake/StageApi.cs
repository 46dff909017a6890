using System.Globalization;
using System.Security;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The stage as an S3 bucket that only takes: PUT of an object, signed with the credentials of pipe-info.</summary>
sealed class StageApi(CallGate gate, ServerSecret secret, Stage stage, Faults faults, TimeProvider clock)
{
    const int MaxKey = 1024;

    /// <summary>Answers a path in <see cref="Stage.Bucket"/>; the segments are decoded, the bucket is the first.</summary>
    public async Task Handle(HttpContext context, string[] path)
    {
        var plan = faults.Take("upload", []);
        if (!await gate.Proceed(context, plan))
            return;
        try
        {
            if (!HttpMethods.IsPut(context.Request.Method))
                throw new S3Exception(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
            var etag = await Put(context, string.Join('/', path[1..]));
            if (plan.LoseReply)
            {
                context.Abort();
                return;
            }
            context.Response.Headers.ETag = $"\"{etag}\"";
            context.Response.ContentLength = 0;
        }
        catch (S3Exception e)
        {
            await Reply.Text(context, e.Status,
                $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{e.Code}</Code><Message>{SecurityElement.Escape(e.Message)}</Message></Error>",
                "application/xml");
        }
    }

    /// <returns>The ETag, without quotation marks.</returns>
    async Task<string> Put(HttpContext context, string key)
    {
        var request = context.Request;
        var now = clock.GetUtcNow();
        var credentials = StageCredentials.Read(secret, request.Headers["x-amz-security-token"].ToString())
            ?? throw new S3Exception(403, "InvalidToken", "The provided token is malformed or otherwise invalid.");
        var signature = AwsSignature.Verify(request, credentials, now);
        if (now >= credentials.Expires)
            throw new S3Exception(400, "ExpiredToken", "The provided token has expired. Ask pipe-info for another.");
        if (!key.StartsWith(credentials.Folder, StringComparison.Ordinal) || key.Length == credentials.Folder.Length || key.Length > MaxKey)
            throw new S3Exception(403, "AccessDenied", "These credentials are for another folder.");

        var payload = request.Headers["x-amz-content-sha256"].ToString();
        var chunked = payload.StartsWith("STREAMING-", StringComparison.Ordinal);
        if (payload is not ("UNSIGNED-PAYLOAD" or "STREAMING-UNSIGNED-PAYLOAD-TRAILER" or "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
            or "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") && (payload.Length != 64 || !payload.All(char.IsAsciiHexDigit)))
            throw new S3Exception(400, "InvalidRequest", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD[-TRAILER] or the SHA-256 of the body.");
        var declared = chunked ? Number(request.Headers["x-amz-decoded-content-length"].ToString()) : request.ContentLength;
        if (declared is not { } length)
            throw new S3Exception(411, "MissingContentLength", "You must provide the Content-Length HTTP header, and x-amz-decoded-content-length with a chunked body.");
        if (length > Stage.MaxFile)
            throw TooLarge();

        using var checks = new UploadChecks(request);
        if (!stage.TryReserve(length))
            throw new S3Exception(503, "SlowDown", "The stage is full of files that have not been appended yet.");
        var upload = stage.Begin();
        var committed = false;
        try
        {
            long written = 0;
            async ValueTask Write(ReadOnlyMemory<byte> block)
            {
                written += block.Length;
                if (written > length)
                    throw TooLarge();
                checks.Add(block.Span);
                await upload.WriteAsync(block, context.RequestAborted);
            }

            var trailer = await Receive(context, chunked ? payload : null, signature, Write);
            if (written != length)
                throw new S3Exception(400, "IncompleteBody", "You did not provide the number of bytes specified by the length header.");
            checks.Finish(context, trailer);
            stage.Commit(upload, key, checks.ETag);
            committed = true;
            return Convert.ToHexStringLower(checks.ETag);
        }
        finally
        {
            stage.Release(length);
            await upload.DisposeAsync();
            if (!committed)
                File.Delete(upload.Name);
        }
    }

    static async Task<IReadOnlyDictionary<string, string>> Receive(
        HttpContext context, string? coding, AwsSignature signature, Func<ReadOnlyMemory<byte>, ValueTask> write)
    {
        if (coding is not null)
        {
            var body = new AwsChunkedBody(context.Request.BodyReader, coding.Contains("UNSIGNED", StringComparison.Ordinal) ? null : signature);
            await body.CopyAsync(write, context.RequestAborted);
            return body.Trailer;
        }
        var block = new byte[64 * 1024];
        for (int read; (read = await context.Request.Body.ReadAsync(block, context.RequestAborted)) > 0;)
            await write(block.AsMemory(0, read));
        return new Dictionary<string, string>();
    }

    static long? Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    static S3Exception TooLarge() => new(400, "EntityTooLarge", $"Your proposed upload exceeds the maximum allowed size of {Stage.MaxFile} bytes, or its declared length.");
}
