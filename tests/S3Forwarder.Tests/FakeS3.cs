using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>One request as the server saw it. <paramref name="Number"/> counts from 1.</summary>
sealed record S3Call(int Number, string Method, string Bucket, string Key);

/// <summary>What a script makes of a request instead of, before or after serving it.</summary>
sealed record S3Fault
{
    /// <summary>Answer this and do nothing.</summary>
    public (int Status, string Code, string Message)? Answer { get; init; }

    public (string Name, string Value)? Header { get; init; }

    /// <summary>Cut the connection without doing anything.</summary>
    public bool AbortBefore { get; init; }

    /// <summary>Do it, then cut the connection instead of answering.</summary>
    public bool AbortAfter { get; init; }

    /// <summary>Runs before the request is served.</summary>
    public Func<Task>? Before { get; init; }

    /// <summary>Runs after the request is served and before it is answered.</summary>
    public Func<Task>? After { get; init; }
}

sealed record S3Object(byte[] Bytes, string ContentType, IReadOnlyDictionary<string, string> Metadata, int Writes)
{
    /// <summary>Opaque to clients, so it need not be the MD5 that S3 itself uses.</summary>
    public string ETag => $"\"{Convert.ToHexStringLower(SHA256.HashData(Bytes).AsSpan(0, 16))}\"";
}

/// <summary>
/// The part of S3's REST interface that the forwarder uses, on a port of this machine: path-style addresses, conditional PUT, HEAD, list, delete, errors as
/// XML, bodies with and without aws-chunked framing. Written from the "Amazon S3 API Reference" (PutObject, HeadObject, HeadBucket, ListObjectsV2, "Error
/// responses") and "Signature Version 4, transferring payload in multiple chunks". It checks payload hashes and trailing checksums, not signatures.
/// </summary>
sealed class FakeS3 : IAsyncDisposable
{
    public const string AccessKeyId = "AKIAIOSFODNN7EXAMPLE";

    readonly WebApplication app;
    readonly Lock gate = new();
    readonly ConcurrentQueue<S3Call> calls = new();
    int numbers;
    int underWay;
    int mostUnderWay;

    FakeS3(WebApplication app) => this.app = app;

    public HashSet<string> Buckets { get; } = ["readings"];

    public ConcurrentDictionary<(string Bucket, string Key), S3Object> Objects { get; } = new();

    public IReadOnlyCollection<S3Call> Calls => calls;

    /// <summary>Decides on each request; null serves it.</summary>
    public Func<S3Call, S3Fault?> Script { get; set; } = _ => null;

    public Uri Address { get; private set; } = new("http://127.0.0.1");

    /// <summary>Most PUT requests that were under way at once.</summary>
    public int MostUnderWay => mostUnderWay;

    /// <summary>Keys and bodies of a bucket, in order of key.</summary>
    public IReadOnlyList<KeyValuePair<string, S3Object>> In(string bucket = "readings") =>
        [.. Objects.Where(entry => entry.Key.Bucket == bucket).Select(entry => KeyValuePair.Create(entry.Key.Key, entry.Value)).OrderBy(entry => entry.Key, StringComparer.Ordinal)];

    public static async Task<FakeS3> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        builder.Logging.SetMinimumLevel(LogLevel.None);
        var app = builder.Build();
        var fake = new FakeS3(app);
        app.Run(fake.ServeAsync);
        await app.StartAsync();
        fake.Address = new Uri(app.Urls.Single());
        return fake;
    }

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        try
        {
            await app.StopAsync(atOnce.Token);
        }
        catch (OperationCanceledException)
        {
            // Requests that a test holds are cut off.
        }
        await app.DisposeAsync();
    }

    async Task ServeAsync(HttpContext context)
    {
        var path = Uri.UnescapeDataString(context.Request.Path.Value!).TrimStart('/').Split('/', 2);
        var call = new S3Call(Interlocked.Increment(ref numbers), context.Request.Method, path[0], path.Length > 1 ? path[1] : "");
        calls.Enqueue(call);
        var put = call.Method == "PUT";
        if (put)
        {
            var now = Interlocked.Increment(ref underWay);
            lock (gate)
                mostUnderWay = Math.Max(mostUnderWay, now);
        }
        try
        {
            // Read first: a client that is still sending sees a reset rather than an answer.
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            var fault = Script(call);
            if (fault?.AbortBefore == true)
            {
                context.Abort();
                return;
            }
            if (fault?.Before is { } before)
                await before();
            if (fault?.Header is { } header)
                context.Response.Headers[header.Name] = header.Value;
            if (fault?.Answer is { } answer)
            {
                await ErrorAsync(context, answer.Status, answer.Code, answer.Message);
                return;
            }
            var respond = Apply(context, call, body.ToArray());
            if (fault?.After is { } after)
                await after();
            if (fault?.AbortAfter == true)
            {
                context.Abort();
                return;
            }
            await respond();
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client went away.
        }
        finally
        {
            if (put)
                Interlocked.Decrement(ref underWay);
        }
    }

    /// <summary>Does what is asked and returns how to answer.</summary>
    Func<Task> Apply(HttpContext context, S3Call call, byte[] body)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        if (!authorization.StartsWith("AWS4-HMAC-SHA256 Credential=", StringComparison.Ordinal))
            return () => ErrorAsync(context, 403, "AccessDenied", "Anonymous");
        if (!authorization.Contains($"Credential={AccessKeyId}/", StringComparison.Ordinal))
            return () => ErrorAsync(context, 403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.");
        lock (gate)
        {
            if (!Buckets.Contains(call.Bucket))
                return () => ErrorAsync(context, 404, "NoSuchBucket", "The specified bucket does not exist");
            return call switch
            {
                { Method: "HEAD", Key: "" } => () => Task.CompletedTask,
                { Method: "GET", Key: "" } => () => ListAsync(context, call.Bucket),
                { Method: "PUT" } => Put(context, call, body),
                { Method: "HEAD" or "GET" } => Get(context, call),
                { Method: "DELETE" } => Delete(context, call),
                _ => () => ErrorAsync(context, 405, "MethodNotAllowed", "The specified method is not allowed against this resource."),
            };
        }
    }

    Func<Task> Put(HttpContext context, S3Call call, byte[] body)
    {
        byte[] content;
        try
        {
            content = Content(context.Request.Headers, body);
        }
        catch (InvalidDataException e)
        {
            return () => ErrorAsync(context, 400, "InvalidRequest", e.Message);
        }
        Objects.TryGetValue((call.Bucket, call.Key), out var existing);
        if (context.Request.Headers.IfNoneMatch == "*" && existing is not null)
            return () => ErrorAsync(context, 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
        if (context.Request.Headers.IfMatch is [{ } etag, ..])
        {
            if (existing is null)
                return () => ErrorAsync(context, 404, "NoSuchKey", "The specified key does not exist.");
            if (existing.ETag != etag)
                return () => ErrorAsync(context, 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
        }
        const string meta = "x-amz-meta-";
        var metadata = context.Request.Headers.Where(header => header.Key.StartsWith(meta, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(header => header.Key[meta.Length..].ToLowerInvariant(), header => header.Value.ToString());
        var stored = new S3Object(content, context.Request.ContentType ?? "", metadata, (existing?.Writes ?? 0) + 1);
        Objects[(call.Bucket, call.Key)] = stored;
        return () =>
        {
            context.Response.Headers.ETag = stored.ETag;
            return Task.CompletedTask;
        };
    }

    Func<Task> Get(HttpContext context, S3Call call)
    {
        if (!Objects.TryGetValue((call.Bucket, call.Key), out var found))
            return () => ErrorAsync(context, 404, "NoSuchKey", "The specified key does not exist.");
        return async () =>
        {
            context.Response.Headers.ETag = found.ETag;
            context.Response.ContentType = found.ContentType;
            context.Response.ContentLength = found.Bytes.Length;
            context.Response.Headers.LastModified = DateTimeOffset.UnixEpoch.ToString("R", CultureInfo.InvariantCulture);
            foreach (var (name, value) in found.Metadata)
                context.Response.Headers[$"x-amz-meta-{name}"] = value;
            if (call.Method == "GET")
                await context.Response.Body.WriteAsync(found.Bytes);
        };
    }

    Func<Task> Delete(HttpContext context, S3Call call)
    {
        Objects.TryRemove((call.Bucket, call.Key), out _);
        return () =>
        {
            context.Response.StatusCode = 204;
            return Task.CompletedTask;
        };
    }

    Task ListAsync(HttpContext context, string bucket)
    {
        var prefix = context.Request.Query["prefix"].ToString();
        var xml = new StringBuilder("""<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>""");
        foreach (var (key, value) in In(bucket).Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal)))
            xml.Append(CultureInfo.InvariantCulture, $"<Contents><Key>{WebUtility.HtmlEncode(key)}</Key><Size>{value.Bytes.Length}</Size></Contents>");
        return WriteXmlAsync(context, 200, xml.Append("</ListBucketResult>").ToString());
    }

    static Task ErrorAsync(HttpContext context, int status, string code, string message)
        => WriteXmlAsync(context, status, $"""<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{WebUtility.HtmlEncode(message)}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>""");

    static async Task WriteXmlAsync(HttpContext context, int status, string xml)
    {
        context.Response.StatusCode = status;
        if (context.Request.Method == "HEAD")
            return;
        context.Response.ContentType = "application/xml";
        await context.Response.WriteAsync(xml);
    }

    /// <summary>The object's bytes out of a request's body; checks what the client says of them.</summary>
    static byte[] Content(IHeaderDictionary headers, byte[] body)
    {
        var declared = headers["x-amz-content-sha256"].ToString();
        if (!declared.StartsWith("STREAMING-", StringComparison.Ordinal))
        {
            if (declared.Length == 64 && declared != Convert.ToHexStringLower(SHA256.HashData(body)))
                throw new InvalidDataException("x-amz-content-sha256 does not match");
            return body;
        }
        var (content, trailer) = Unframe(body);
        if (headers["x-amz-decoded-content-length"] != content.Length.ToString(CultureInfo.InvariantCulture))
            throw new InvalidDataException("x-amz-decoded-content-length does not match");
        if (headers["x-amz-trailer"] == "x-amz-checksum-crc32" && trailer.GetValueOrDefault("x-amz-checksum-crc32") != Crc32(content))
            throw new InvalidDataException("x-amz-checksum-crc32 does not match");
        return content;
    }

    /// <summary>Takes chunks (<c>size-in-hex[;chunk-signature=…]CRLF data CRLF</c>, the last of size 0) and trailing headers apart.</summary>
    static (byte[] Content, Dictionary<string, string> Trailer) Unframe(byte[] body)
    {
        using var content = new MemoryStream();
        var at = 0;
        while (true)
        {
            var size = int.Parse(Line().Split(';')[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (size == 0)
                break;
            content.Write(body, at, size);
            at += size;
            if (Line().Length > 0)
                throw new InvalidDataException("a chunk is longer than it says");
        }
        var trailer = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (at < body.Length && Line() is { Length: > 0 } line)
            trailer[line[..line.IndexOf(':')]] = line[(line.IndexOf(':') + 1)..].Trim();
        return (content.ToArray(), trailer);

        string Line()
        {
            var end = body.AsSpan(at).IndexOf("\r\n"u8);
            if (end < 0)
                throw new InvalidDataException("aws-chunked framing ends in the middle");
            var line = Encoding.ASCII.GetString(body, at, end);
            at += end + 2;
            return line;
        }
    }

    /// <summary>CRC-32 (ISO-HDLC), big-endian, base64, as S3 spells it.</summary>
    static string Crc32(byte[] content)
    {
        var crc = uint.MaxValue;
        foreach (var b in content)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320;
        }
        var bytes = BitConverter.GetBytes(~crc);
        Array.Reverse(bytes);
        return Convert.ToBase64String(bytes);
    }
}
