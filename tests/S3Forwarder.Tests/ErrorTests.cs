using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>What is said about errors: the store's own words, and advice that fits them.</summary>
public sealed class ErrorTests : SinkTest
{
    const string Policy = "sql/classic/aws/uploader-policy.json";

    /// <summary>Status, code and message as the servers send them; words that must be said, and words that must not.</summary>
    public static TheoryData<int, string, string, string[], string[]> Errors() =>
        new()
        {
            { 403, "AccessDenied", "Access Denied", ["allow s3:PutObject and s3:GetObject", Policy], [] },
            {
                403,
                "AccessDenied",
                "User: arn:aws:iam::111122223333:user/up is not authorized to perform: kms:GenerateDataKey on resource: "
                    + "arn:aws:kms:eu-central-1:111122223333:key/1234 because no identity-based policy allows the kms:GenerateDataKey "
                    + "action",
                ["allow kms:GenerateDataKey", "encryption key"],
                ["s3:PutObject", Policy]
            },
            {
                403,
                "AccessDenied",
                "User: arn:aws:iam::111122223333:user/up is not authorized to perform: kms:Decrypt on resource: "
                    + "arn:aws:kms:eu-central-1:111122223333:key/1234 because the resource does not exist in this Region, no "
                    + "resource-based policies allow access, or a resource-based policy explicitly denies access",
                ["allow kms:Decrypt"],
                ["s3:PutObject"]
            },
            {
                403,
                "AccessDenied",
                "User: arn:aws:iam::111122223333:user/up is not authorized to perform: s3:PutObject on resource: "
                    + "\"arn:aws:s3:::readings/x\" with an explicit deny in a resource-based policy",
                ["a policy denies this explicitly"],
                [Policy]
            },
            {
                403,
                "AccessDenied",
                "User: arn:aws:iam::111122223333:user/up is not authorized to perform: s3:PutObjectTagging on resource: "
                    + "\"arn:aws:s3:::readings/x\" because no identity-based policy allows the s3:PutObjectTagging action",
                ["allow s3:PutObjectTagging", "S3_TAGS"],
                [Policy]
            },
            {
                403,
                "AccessDenied",
                "User: arn:aws:iam::111122223333:user/up is not authorized to perform: s3:PutObject on resource: "
                    + "\"arn:aws:s3:::readings/x\" because no identity-based policy allows the s3:PutObject action",
                ["allow s3:PutObject for this user", Policy],
                []
            },
            { 403, "AccessDenied", "Request has expired", ["clock", "timedatectl"], ["s3:PutObject"] },
            {
                403,
                "AccessDenied",
                "Forbidden: Bucket size quota is reached, maximum total size of objects for this bucket: 1000. The bucket is already 990 "
                    + "bytes, and this object would add 200 bytes.",
                ["quota"],
                ["s3:PutObject", "timedatectl"]
            },
            { 403, "AccessDenied", "Your account has been suspended for non-payment", ["suspended"], ["s3:PutObject", Policy] },
            { 403, "QuotaExceeded", "", ["quota"], ["s3:PutObject"] },
            {
                507,
                "XMinioStorageFull",
                "Storage backend has reached its minimum free drive threshold. Please delete a few objects to proceed.",
                ["no space left"],
                ["s3:PutObject"]
            },
            { 400, "XMinioAdminBucketQuotaExceeded", "Bucket quota exceeded", ["quota"], [] },
            {
                500,
                "InternalError",
                "We encountered an internal error, please try again.: cause(no space left on device)",
                ["free space on the store"],
                []
            },
            {
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the server's time is too large.",
                ["timedatectl set-ntp true"],
                ["s3:PutObject"]
            },
            { 400, "ExpiredToken", "The provided token has expired.", ["AWS_SESSION_TOKEN"], [] },
            { 403, "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records.", ["AKIA…MPLE"], ["in IAM"] },
            {
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided.",
                ["line ends"],
                []
            },
            {
                400,
                "InvalidRequest",
                "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
                ["S3_CHECKSUM"],
                []
            },
            {
                501,
                "NotImplemented",
                "Header 'x-amz-checksum-crc32c' with value 'abc' not implemented",
                ["S3_CHECKSUM"],
                ["If-None-Match"]
            },
            {
                501,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented",
                ["If-None-Match", "S3_CHECKSUM"],
                []
            },
            {
                400,
                "AuthorizationHeaderMalformed",
                "Authorization header malformed, unexpected scope: 20261128/us-east-1/s3/aws4_request, expected: "
                    + "20261128/garage/s3/aws4_request",
                ["set AWS_REGION=garage"],
                ["get-bucket-location"]
            },
            {
                400,
                "InvalidRegionName",
                "The region name 'us-east-1' is not valid. Must be one of: wnam, enam, weur, eeur, apac, oc, auto",
                ["Must be one of: wnam", "AWS_REGION"],
                ["get-bucket-location"]
            },
            {
                400,
                "AuthorizationHeaderMalformed",
                "The authorization header is malformed; a non-empty Access Key (AKID) must be provided in the credential.",
                ["non-empty Access Key"],
                ["AWS_REGION"]
            },
            { 400, "KMS.DisabledException", "arn:aws:kms:eu-central-1:111122223333:key/1234 is disabled.", ["check it in KMS"], [] },
            { 400, "InvalidStorageClass", "The storage class you specified is not valid", ["S3_STORAGE_CLASS"], [] },
            { 405, "MethodNotAllowed", "The specified method is not allowed against this resource.", ["`check`"], ["s3:PutObject"] },
            { 503, "SlowDown", "Please reduce your request rate.", ["reduce your request rate"], [";"] },
            { 500, "InternalError", "We encountered an internal error. Please try again.", ["Please try again."], [";"] },
        };

    [Theory]
    [MemberData(nameof(Errors))]
    public async Task The_stores_words_stand_beside_advice_that_fits_them(
        int status,
        string code,
        string message,
        string[] said,
        string[] unsaid
    )
    {
        Spool.AddInverters(1);
        S3.Script = call => call.Method == "PUT" ? new S3Fault { Answer = (status, code, message) } : null;

        var failure = await FailAsync(NewSink(Options()));

        Assert.Contains($"{status} {code}{(message.Length > 0 ? $" \"{message}\"" : "")}", failure.Message, StringComparison.Ordinal);
        Assert.All(said, words => Assert.Contains(words, failure.Message, StringComparison.Ordinal));
        var advice = failure.Message.Replace(message.Length > 0 ? message : "\0", "", StringComparison.Ordinal);
        Assert.All(unsaid, words => Assert.DoesNotContain(words, advice, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refusal_for_now_does_not_send_a_planned_batch_elsewhere()
    {
        Spool.AddInverters(8);
        S3.Buckets.Add("elsewhere");
        S3.Script = call =>
            call.Method == "PUT" && call.Key.Contains("-2of4", StringComparison.Ordinal)
                ? new S3Fault { Answer = (507, "XMinioStorageFull", "full") }
                : null;
        await FailAsync(NewSink(Options()));
        await FailAsync(NewSink(Options() with { Bucket = "elsewhere" }));
        S3.Script = _ => null;

        await Spool.DeliverAsync(NewSink(Options() with { Bucket = "elsewhere" }));

        AssertOnce(8);
        Assert.Empty(S3.In("elsewhere"));
    }

    /// <summary>A proxy that inspects TLS shows a certificate of its own.</summary>
    [Fact]
    public async Task An_untrusted_certificate_is_named_with_its_issuer()
    {
        Spool.AddInverters(1);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Corp Web Gateway, O=Inspectors", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            await using var tls = new SslStream(client.GetStream());
            await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                await tls.AuthenticateAsServerAsync(certificate);
                await tls.ReadExactlyAsync(new byte[1]);
            });
        });

        var failure = await Assert.ThrowsAsync<SinkException>(() =>
            NewSink(Options() with { Endpoint = new Uri($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}") }, retries: 0)
                .OpenAsync(Spool.Start(), default)
        );
        listener.Stop();
        await serving;

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("issued by CN=Corp Web Gateway", failure.Message, StringComparison.Ordinal);
        Assert.Contains("inspects TLS", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>Answers that end before they are whole, and the answer that is complete but late.</summary>
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nETag: \"0123456789abcdef0123456789abcdef\"\r\nContent-Length: 100", "too short")]
    [InlineData("HTTP/1.1 200 OK\r\nETag: \"0123456789abcdef0123456789abcdef\"\r\nTransfer-Encoding: chunked", "64\r\nhalf a chunk")]
    [InlineData("HTTP/1.1 200 OK", "")]
    [InlineData("HTTP/1.1 200 OK\r\nETag", "")]
    [InlineData("HTTP/1.1 2", "")]
    [InlineData("", "")]
    [InlineData("SSH-2.0-OpenSSH_9.6", "")]
    [InlineData("HTTP/1.1 412 Precondition Failed\r\nContent-Type: application/xml\r\nContent-Length: 900", "<Error><Code>Preco")]
    public async Task An_answer_that_is_cut_off_does_not_count(string head, string body)
    {
        Spool.AddInverters(8);
        await using var store = new RawStore { Script = _ => new RawAnswer(head, body) { Cut = true } };
        var options = Options(files: 2) with { Endpoint = store.Address };

        var failure = await FailAsync(NewSink(options));
        Assert.InRange(store.Puts, 1, 8);
        store.Script = _ => null;
        await Spool.DeliverAsync(NewSink(options, retries: 0), again: () => true);

        Assert.Equal(SinkFailure.Transient, failure.Failure);
        Assert.Equal((8, 2, 8), (Spool.Cursor, store.Objects, store.Rows));
    }
}
