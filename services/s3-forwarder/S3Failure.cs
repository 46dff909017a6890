using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.RegularExpressions;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Says what an exception of the S3 client means: what was asked, what the answer was, and for what a person must mend, how.</summary>
static partial class S3Failure
{
    /// <param name="e">What the client threw. Connection failures come as they are (HttpRequestException), not as a service's exception.</param>
    /// <param name="what">The request, for example <c>PUT s3://bucket/key</c>.</param>
    /// <param name="options">For the remedies.</param>
    public static SinkException Translate(Exception e, string what, S3Options options) => e switch
    {
        SinkException own => own,
        AmazonServiceException service => FromAnswer(service, what, options),
        AmazonClientException client => new SinkException(SinkFailure.NeedsOperator,
            $"{what}: no usable credentials ({OneLine(client.Message)}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY_FILE, or run where a profile or role is attached.", inner: e),
        _ => FromNetwork(e, what, options),
    };

    /// <summary>The region that S3 says the bucket is in, when it says so.</summary>
    public static string? BucketRegion(AmazonServiceException e)
        => (e.InnerException as HttpErrorResponseException)?.Response.GetHeaderValue("x-amz-bucket-region") is { Length: > 0 } header ? header
            : ExpectedRegion().Match(e.Message) is { Success: true } match ? match.Groups[1].Value
            : null;

    /// <summary>From the text of AuthorizationHeaderMalformed: "the region 'us-east-1' is wrong; expecting 'eu-west-1'".</summary>
    [GeneratedRegex("expecting '([a-z0-9-]+)'")]
    private static partial Regex ExpectedRegion();

    static SinkException FromAnswer(AmazonServiceException e, string what, S3Options options)
    {
        var status = (int)e.StatusCode;
        // HEAD has no body, and the client then takes the status for the code.
        var code = string.IsNullOrEmpty(e.ErrorCode) ? e.StatusCode.ToString() : e.ErrorCode;
        var answer = $"{what}: {status.ToString(CultureInfo.InvariantCulture)} {code}";
        if (Remedy(e, code, status, options) is { } remedy)
            return new SinkException(SinkFailure.NeedsOperator, $"{answer}; {remedy}", inner: e);
        var retryAfter = (e.InnerException as HttpErrorResponseException)?.Response.GetHeaderValue("Retry-After");
        return new SinkException(SinkFailure.Transient, answer,
            int.TryParse(retryAfter, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : null, e);
    }

    /// <summary>What a person must do, or null when waiting may help. Codes: Amazon S3 API Reference, "Error responses".</summary>
    static string? Remedy(AmazonServiceException e, string code, int status, S3Options options) => code switch
    {
        "NoSuchBucket" => $"there is no bucket '{options.Bucket}'; correct S3_BUCKET, or create it: aws s3 mb s3://{options.Bucket} --region {options.Region}",
        "AccessDenied" or "AllAccessDisabled" or "Forbidden" => $"the key may not do this; allow s3:PutObject and s3:GetObject on arn:aws:s3:::{options.Bucket}/{options.Prefix}* and arn:aws:s3:::{options.Bucket}/{options.QuarantinePrefix}* (sql/classic/uploader-policy.json)",
        "InvalidAccessKeyId" => $"AWS does not know the access key {Masked(options.AccessKeyId)}; it was deleted or mistyped: make a new one in IAM and set AWS_ACCESS_KEY_ID",
        "SignatureDoesNotMatch" => "the secret does not belong to the access key; check AWS_SECRET_ACCESS_KEY (line ends, quotes, the other key's secret)",
        "ExpiredToken" or "InvalidToken" or "TokenRefreshRequired" => "the temporary credentials have run out; get new ones and set AWS_SESSION_TOKEN with them",
        "RequestTimeTooSkewed" or "RequestExpired" => "the clock of this machine differs from Amazon's by more than 15 minutes; set it: timedatectl set-ntp true",
        "PermanentRedirect" or "TemporaryRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" or "MovedPermanently" or "301" =>
            BucketRegion(e) is { } region
                ? $"the bucket '{options.Bucket}' is in {region}, not in {options.Region}; set AWS_REGION={region}"
                : $"the bucket '{options.Bucket}' is not in {options.Region}; ask for its region (aws s3api get-bucket-location --bucket {options.Bucket}) and set AWS_REGION",
        "InvalidBucketName" => "S3_BUCKET cannot be a bucket's name; correct it",
        "NotImplemented" => "this server does not support what exactly-once needs (If-None-Match on PUT); use one that does: Amazon S3, LocalStack, MinIO and moto do",
        "KMS.DisabledException" or "KMS.InvalidKeyUsageException" or "KMS.KMSInvalidStateException" or "KMS.NotFoundException" => "the bucket's encryption key cannot be used; check it in KMS",
        _ when status is >= 500 or 408 or 409 or 425 or 429 => null,
        "RequestTimeout" or "SlowDown" or "Throttling" or "BadDigest" or "IncompleteBody" or "XAmzContentSHA256Mismatch" or "XAmzContentChecksumMismatch" or "InternalError" => null,
        _ when status is >= 300 and < 500 => $"S3 refuses the request ({OneLine(e.Message)}); `check` says more",
        _ => null,
    };

    static SinkException FromNetwork(Exception e, string what, S3Options options)
    {
        var root = e;
        while (root.InnerException is { } inner && root is not (SocketException or AuthenticationException))
            root = inner;
        var host = options.Address.Authority;
        return root switch
        {
            AuthenticationException => new SinkException(SinkFailure.NeedsOperator, $"{what}: the certificate of {host} is not trusted ({OneLine(root.Message)}); install its authority's certificate, or correct S3_ENDPOINT_URL", inner: e),
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } => Transient("its name does not resolve; is there a network, is DNS working, is AWS_REGION or S3_ENDPOINT_URL right?"),
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => Transient("connection refused; is the server running, is the port right?"),
            SocketException socket => Transient(OneLine(socket.Message)),
            OperationCanceledException or TimeoutException => Transient("no answer in time"),
            _ => Transient(OneLine(root.Message)),
        };

        SinkException Transient(string why) => new(SinkFailure.Transient, $"{what}: {host}: {why}", inner: e);
    }

    /// <summary>Enough of a key id to recognise it.</summary>
    public static string Masked(string? keyId) => keyId is { Length: > 8 } ? $"{keyId[..4]}…{keyId[^4..]}" : "in use";

    static string OneLine(string text) => text.ReplaceLineEndings(" ").Trim();
}
