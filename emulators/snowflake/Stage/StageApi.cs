using System.Globalization;
using System.Security;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The stage as an S3 bucket with one operation: PUT of an object, signed with the credentials of pipe-info. Safe for concurrent use.
/// </summary>
sealed class StageApi(ServerSecret secret, Stage stage, TimeProvider clock)
{
    const int MaxKey = 1024;

    /// <summary>Answers every method.</summary>
    public async Task Handle(HttpContext call)
    {
        try
        {
            if (!HttpMethods.IsPut(call.Request.Method))
                throw new S3Exception(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
            var etag = await Put(call, call.Name("key"));
            call.Response.Headers.ETag = $"\"{etag}\"";
            call.Response.ContentLength = 0;
        }
        catch (S3Exception e)
        {
            await Reply.Text(
                call,
                e.Status,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    + $"<Error><Code>{e.Code}</Code><Message>{SecurityElement.Escape(e.Message)}</Message></Error>",
                "application/xml"
            );
        }
    }

    /// <returns>The ETag, without quotation marks.</returns>
    async Task<string> Put(HttpContext call, string key)
    {
        var request = call.Request;
        var now = clock.GetUtcNow();
        var credentials =
            StageCredentials.Read(secret, request.Headers["x-amz-security-token"].ToString())
            ?? throw new S3Exception(403, "InvalidToken", "The provided token is malformed or otherwise invalid.");
        var signature = AwsSignature.Verify(request, credentials, now);
        if (now >= credentials.Expires)
            throw new S3Exception(400, "ExpiredToken", "The provided token has expired. Ask pipe-info for another.");
        if (!key.StartsWith(credentials.Folder, StringComparison.Ordinal) || key.Length == credentials.Folder.Length || key.Length > MaxKey)
            throw new S3Exception(403, "AccessDenied", "These credentials are for another folder.");

        var coding = CodingOf(request);
        var length =
            (coding is null ? request.ContentLength : Number(request.Headers["x-amz-decoded-content-length"].ToString()))
            ?? throw new S3Exception(
                411,
                "MissingContentLength",
                "You must provide the Content-Length HTTP header, and x-amz-decoded-content-length with a chunked body."
            );
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
                await upload.WriteAsync(block, call.RequestAborted);
            }

            var trailer = await Receive(call, coding, signature, Write);
            if (written != length)
            {
                throw new S3Exception(400, "IncompleteBody", "You did not provide the number of bytes specified by the length header.");
            }
            checks.Finish(call, trailer);
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

    /// <summary>The kind of the body's <c>aws-chunked</c> coding; null if it has none.</summary>
    static string? CodingOf(HttpRequest request)
    {
        var payload = request.Headers["x-amz-content-sha256"].ToString();
        if (
            payload
            is "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
                or "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
                or "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
        )
            return payload;
        return payload == "UNSIGNED-PAYLOAD" || (payload.Length == 64 && payload.All(char.IsAsciiHexDigit))
            ? null
            : throw new S3Exception(
                400,
                "InvalidRequest",
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                    + "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD[-TRAILER] or the SHA-256 of the body."
            );
    }

    /// <returns>The headers after the body.</returns>
    static async Task<IReadOnlyDictionary<string, string>> Receive(
        HttpContext call,
        string? coding,
        AwsSignature signature,
        Func<ReadOnlyMemory<byte>, ValueTask> write
    )
    {
        if (coding is not null)
        {
            var isSigned = !coding.Contains("UNSIGNED", StringComparison.Ordinal);
            var body = new AwsChunkedBody(call.Request.BodyReader, isSigned ? signature : null);
            await body.CopyAsync(write, call.RequestAborted);
            return body.Trailer;
        }
        var block = new byte[64 * 1024];
        for (int read; (read = await call.Request.Body.ReadAsync(block, call.RequestAborted)) > 0; )
            await write(block.AsMemory(0, read));
        return new Dictionary<string, string>();
    }

    static long? Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    static S3Exception TooLarge() =>
        new(
            400,
            "EntityTooLarge",
            $"Your proposed upload exceeds the maximum allowed size of {Stage.MaxFile} bytes, or its declared length."
        );
}
