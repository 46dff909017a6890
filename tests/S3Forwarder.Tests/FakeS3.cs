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

/// <summary>
/// The part of S3's REST interface that the forwarder uses, on a port of this machine: path-style addresses, conditional PUT, HEAD, list,
/// delete, errors as XML. Written from the "Amazon S3 API Reference" (PutObject, HeadObject, HeadBucket, ListObjectsV2, "Error responses").
/// It checks payload hashes and checksums, not signatures.
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

    /// <summary>Whether a PUT's answer repeats its checksum, as Amazon's and MinIO's do. Others keep silent.</summary>
    public bool EchoesChecksums { get; set; }

    /// <summary>What becomes of an object that is stored: encrypted with KMS, for example, so that its ETag is no MD5.</summary>
    public Func<S3Object, S3Object> Store { get; set; } = stored => stored;

    /// <summary>
    /// How the bucket is set up, by the query parameter that asks for it; what is missing is answered as S3 does for a new bucket.
    /// </summary>
    public Dictionary<string, string> Properties { get; } =
        new()
        {
            ["notification"] = """
                <NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><QueueConfiguration><Id>snowpipe</Id><Queue>arn:aws:sqs:us-east-1:444455556666:sf-snowpipe-AIDAEXAMPLE</Queue><Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>Prefix</Name><Value>inverter-data/</Value></FilterRule></S3Key></Filter></QueueConfiguration></NotificationConfiguration>
                """,
        };

    /// <summary>Decides on each request; null serves it.</summary>
    public Func<S3Call, S3Fault?> Script { get; set; } = _ => null;

    public Uri Address { get; private set; } = new("http://127.0.0.1");

    /// <summary>When every object was written, as answers say.</summary>
    public DateTimeOffset LastModified { get; set; } = DateTimeOffset.UnixEpoch;

    /// <summary>Most PUT requests that were under way at once.</summary>
    public int MostUnderWay => mostUnderWay;

    /// <summary>Keys and bodies of a bucket, in order of key.</summary>
    public IReadOnlyList<KeyValuePair<string, S3Object>> In(string bucket = "readings") =>
        [
            .. Objects
                .Where(entry => entry.Key.Bucket == bucket)
                .Select(entry => KeyValuePair.Create(entry.Key.Key, entry.Value))
                .OrderBy(entry => entry.Key, StringComparer.Ordinal),
        ];

    /// <summary>Sequences of all rows under a prefix, in the order of the keys.</summary>
    public List<ulong> Sequences(string prefix = "inverter-data/", string bucket = "readings") =>
        [
            .. In(bucket)
                .Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
                .SelectMany(entry => Spool.Rows(entry.Key, entry.Value.Bytes))
                .Select(Spool.Sequence),
        ];

    public static async Task<FakeS3> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
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
        var call = new S3Call(
            Interlocked.Increment(ref numbers),
            context.Request.Method,
            path[0],
            path.Length > 1 ? path[1] : "",
            new HeaderDictionary(context.Request.Headers.ToDictionary())
        );
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
            if (fault?.Respond is { } instead)
            {
                await instead(context);
                return;
            }
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
            await (fault?.RespondAfter is { } other ? other(context) : respond());
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
            return () =>
                ErrorAsync(context, 403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.");
        lock (gate)
        {
            if (!Buckets.Contains(call.Bucket))
                return () => ErrorAsync(context, 404, "NoSuchBucket", "The specified bucket does not exist");
            return call switch
            {
                { Method: "HEAD", Key: "" } => () => Task.CompletedTask,
                { Method: "GET", Key: "" } when Asked(context) is { } property => () => PropertyAsync(context, property),
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
                return () =>
                    ErrorAsync(context, 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
        }
        const string meta = "x-amz-meta-";
        var metadata = context
            .Request.Headers.Where(header => header.Key.StartsWith(meta, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(header => header.Key[meta.Length..].ToLowerInvariant(), header => header.Value.ToString());
        var stored = Store(
            new S3Object(content, context.Request.ContentType ?? "", metadata, (existing?.Writes ?? 0) + 1)
            {
                Encryption = context.Request.Headers["x-amz-server-side-encryption"] is [{ } asked, ..] ? asked : null,
            }
        );
        Objects[(call.Bucket, call.Key)] = stored;
        return () =>
        {
            context.Response.Headers.ETag = stored.ETag;
            context.Response.Headers["x-amz-request-id"] = "4442587FB7D0A2F9";
            if (stored.Encryption is not null)
                context.Response.Headers["x-amz-server-side-encryption"] = stored.Encryption;
            if (EchoesChecksums)
            {
                foreach (
                    var (name, value) in context.Request.Headers.Where(header =>
                        header.Key.StartsWith("x-amz-checksum-", StringComparison.OrdinalIgnoreCase)
                    )
                )
                    context.Response.Headers[name] = value;
            }
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
            if (found.Encryption is not null)
                context.Response.Headers["x-amz-server-side-encryption"] = found.Encryption;
            context.Response.ContentType = found.ContentType;
            context.Response.ContentLength = found.Bytes.Length;
            context.Response.Headers.LastModified = LastModified.ToString("R", CultureInfo.InvariantCulture);
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

    static string? Asked(HttpContext context) =>
        new[] { "notification", "versioning", "encryption", "lifecycle", "object-lock" }.FirstOrDefault(context.Request.Query.ContainsKey);

    Task PropertyAsync(HttpContext context, string property) =>
        (Properties.GetValueOrDefault(property), property) switch
        {
            ({ } xml, _) => WriteXmlAsync(context, 200, xml),
            (_, "lifecycle") => ErrorAsync(context, 404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
            (_, "object-lock") => ErrorAsync(
                context,
                404,
                "ObjectLockConfigurationNotFoundError",
                "Object Lock configuration does not exist for this bucket"
            ),
            (_, "encryption") => WriteXmlAsync(
                context,
                200,
                """<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>"""
            ),
            (_, "versioning") => WriteXmlAsync(
                context,
                200,
                """<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>"""
            ),
            _ => WriteXmlAsync(context, 200, """<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>"""),
        };

    Task ListAsync(HttpContext context, string bucket)
    {
        var prefix = context.Request.Query["prefix"].ToString();
        var xml = new StringBuilder(
            """<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>"""
        );
        foreach (var (key, value) in In(bucket).Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal)))
            xml.Append(
                CultureInfo.InvariantCulture,
                $"<Contents><Key>{WebUtility.HtmlEncode(key)}</Key><Size>{value.Bytes.Length}</Size></Contents>"
            );
        return WriteXmlAsync(context, 200, xml.Append("</ListBucketResult>").ToString());
    }

    static Task ErrorAsync(HttpContext context, int status, string code, string message) =>
        WriteXmlAsync(
            context,
            status,
            $"""<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{WebUtility.HtmlEncode(message)}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>"""
        );

    static async Task WriteXmlAsync(HttpContext context, int status, string xml)
    {
        context.Response.StatusCode = status;
        if (context.Request.Method == "HEAD")
            return;
        context.Response.ContentType = "application/xml";
        await context.Response.WriteAsync(xml);
    }

    /// <summary>The object's bytes; checks what the client says of them.</summary>
    static byte[] Content(IHeaderDictionary headers, byte[] body)
    {
        if (headers["Content-Length"] != body.Length.ToString(CultureInfo.InvariantCulture))
            throw new InvalidDataException("Content-Length does not match");
        var declared = headers["x-amz-content-sha256"].ToString();
        if (declared.StartsWith("STREAMING-", StringComparison.Ordinal))
            throw new InvalidDataException("aws-chunked is not known here");
        Check("x-amz-content-sha256", declared, Convert.ToHexStringLower(SHA256.HashData(body)));
        Check("Content-MD5", headers.ContentMD5, Convert.ToBase64String(Md5.Of(body)));
        Check("x-amz-checksum-sha256", headers["x-amz-checksum-sha256"], Convert.ToBase64String(SHA256.HashData(body)));
        Check("x-amz-checksum-crc32c", headers["x-amz-checksum-crc32c"], Crc32C(body));
        return body;

        static void Check(string name, string? theirs, string ours)
        {
            if (!string.IsNullOrEmpty(theirs) && theirs != ours)
                throw new InvalidDataException($"{name} does not match");
        }
    }

    /// <summary>CRC-32C (Castagnoli, reflected polynomial 82F63B78), big-endian, base64, as S3 spells it.</summary>
    static string Crc32C(byte[] content)
    {
        var crc = uint.MaxValue;
        foreach (var b in content)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0x82F63B78;
        }
        var bytes = BitConverter.GetBytes(~crc);
        Array.Reverse(bytes);
        return Convert.ToBase64String(bytes);
    }
}
