using System.Text.RegularExpressions;
using Amazon.Runtime;
using Amazon.Runtime.Internal;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Advice on an error of an S3 server. The server's own words come first: advice that they contradict is not given. Codes: Amazon S3 API
/// Reference, "Error responses"; those that begin with X: MinIO.
/// </summary>
static partial class S3Advice
{
    /// <returns>Null when waiting may help and no action is needed.</returns>
    public static Advice? For(AmazonServiceException e, string code, int status, string words, S3Options options) =>
        code switch
        {
            _ when IsQuota(code, words) && status is not (429 or 503) => new(
                "the bucket or account has reached its quota",
                "raise the quota, or delete objects that are loaded (a lifecycle rule does it: docs/s3-snowpipe.md)"
            ),
            _ when IsFull(code, status, words) => new("the store has no space left", "free space on the store, or add disks"),
            "NoSuchBucket" => new(
                $"there is no bucket '{options.Bucket}'",
                $"correct S3_BUCKET, or create it: aws s3 mb s3://{options.Bucket} --region {options.Region}"
            ),
            "RequestTimeTooSkewed" or "RequestExpired" => Clock,
            "AccessDenied" or "AllAccessDisabled" or "Forbidden" => Refused(words, options),
            "InvalidAccessKeyId" => new(
                $"the store does not know the access key {S3Failure.Masked(options.Credentials.KeyId)}; it was deleted, disabled or "
                    + "mistyped",
                "make a new one and set AWS_ACCESS_KEY_ID, or put it into the credentials file"
            ),
            "SignatureDoesNotMatch" => WrongSecret,
            "ExpiredToken" or "InvalidToken" or "TokenRefreshRequired" => Expired(options.Credentials),
            "PermanentRedirect"
            or "TemporaryRedirect"
            or "AuthorizationHeaderMalformed"
            or "IllegalLocationConstraintException"
            or "MovedPermanently"
            or "301"
            or "InvalidRegionName" => Region(e, words, options),
            "InvalidBucketName" => new("S3_BUCKET is not a valid bucket name", "correct S3_BUCKET"),
            "NotImplemented" => Unsupported(words, options),
            "InvalidRequest" or "InvalidArgument" or "BadRequest" when Mentions(words, "checksum", "Content-MD5", "x-amz-sdk") =>
                Unsupported(words, options),
            "InvalidStorageClass" => new(
                "",
                $"set S3_STORAGE_CLASS to one that this store has, or leave it out ({options.Attributes.StorageClass})"
            ),
            "InvalidTag" or "BadTag" => new("", "correct S3_TAGS"),
            "InvalidEncryptionAlgorithmError" or "ServerSideEncryptionConfigurationNotFoundError" => new("", "correct S3_SSE"),
            _ when code.StartsWith("KMS.", StringComparison.Ordinal) || code is "XMinioKMSNotConfigured" or "KMSNotConfigured" => new(
                "the encryption key cannot be used",
                "check it in KMS: enabled, in the bucket's region, and allowed for this "
                    + $"user{(options.Attributes.KmsKeyId is { } key ? $" (S3_SSE_KMS_KEY_ID={key})" : " (it is the bucket's default key)")}"
            ),
            _ when status is >= 500 or 408 or 409 or 425 or 429 => null,
            "RequestTimeout"
            or "SlowDown"
            or "Throttling"
            or "BadDigest"
            or "IncompleteBody"
            or "XAmzContentSHA256Mismatch"
            or "XAmzContentChecksumMismatch"
            or "InternalError" => null,
            _ when status is >= 300 and < 500 => new(
                words.Length > 0 ? "" : "the store refuses without saying why",
                "`check` tries each step by itself"
            ),
            _ => null,
        };

    /// <summary>The bucket's region as S3 names it; null if it does not.</summary>
    public static string? BucketRegion(AmazonServiceException e) =>
        (e.InnerException as HttpErrorResponseException)?.Response.GetHeaderValue("x-amz-bucket-region") is { Length: > 0 } header ? header
        : ExpectedRegion().Match(e.Message ?? "") is { Success: true } match ? match.Groups[1].Value
        : null;

    /// <summary>Temporary keys have expired: who renews them depends on their source.</summary>
    public static Advice Expired(AwsCredentials credentials) =>
        new(
            "the temporary credentials have run out",
            credentials.IsRenewed ? "they are renewed; if this repeats, this machine's clock is wrong: timedatectl set-ntp true"
                : credentials.File is not null
                    ? $"write new ones into profile {credentials.Profile} of {credentials.File}, then restart this service"
                : "get new ones and set AWS_SESSION_TOKEN with them, or use a role that this service renews itself (AWS_ROLE_ARN)"
        );

    public static Advice WrongSecret { get; } =
        new(
            "the secret does not belong to the access key",
            "check AWS_SECRET_ACCESS_KEY or the credentials file (line ends, quotes, the other key's secret); if it is right, a proxy changes "
                + "the request"
        );

    public static Advice Clock { get; } =
        new("the clock of this machine differs from the store's by more than 15 minutes", "set it: timedatectl set-ntp true");

    static Advice Refused(string words, S3Options options)
    {
        var action = Action().Match(words) is { Success: true } match ? match.Value : null;
        if (action?.StartsWith("kms:", StringComparison.OrdinalIgnoreCase) == true || Mentions(words, "KMS"))
        {
            return new(
                "the user may write to the bucket, but may not use its encryption key",
                $"allow {action ?? "kms:GenerateDataKey"} on that key for this user, in the key's policy and in the user's "
                    + "(docs/s3-snowpipe.md, Encryption)"
            );
        }
        if (Mentions(words, "explicit deny", "explicitly denied"))
            return new(
                "a policy denies this explicitly, which no Allow elsewhere overrides",
                "change that policy, or meet its condition: many demand encryption (S3_SSE), a tag (S3_TAGS) or certain networks"
            );
        if (Mentions(words, "expired"))
            return Clock;
        if (Mentions(words, "object lock", "retention", "WORM", "legal hold"))
            return new("", "allow what the bucket's Object Lock demands of an upload, or use a bucket without it");
        if (action is not null)
            return new(
                "",
                action == "s3:PutObjectTagging"
                    ? "allow s3:PutObjectTagging for this user, or leave S3_TAGS out"
                    : $"allow {action} for this user on that resource (sql/classic/aws/uploader-policy.json)"
            );
        // The store's own words, if none of the above knows them, are better than any guess.
        return IsPlain(words)
            ? new(
                "the key may not do this",
                $"allow s3:PutObject and s3:GetObject on arn:aws:s3:::{options.Bucket}/{options.Prefix}* and "
                    + $"arn:aws:s3:::{options.Bucket}/{options.QuarantinePrefix}* (sql/classic/aws/uploader-policy.json)"
            )
            : new("", "`check` tries each step by itself");
    }

    static Advice Region(AmazonServiceException e, string words, S3Options options)
    {
        if (BucketRegion(e) is { } region)
            return new($"the bucket '{options.Bucket}' is in {region}, not in {options.Region}", $"set AWS_REGION={region}");
        if (words.Length > 0 && !Mentions(words, "region", "scope", "endpoint"))
            return new("", "`check` tries each step by itself");
        return options.Endpoint is null
            ? new(
                $"the bucket '{options.Bucket}' is not in {options.Region}",
                $"ask for its region (aws s3api get-bucket-location --bucket {options.Bucket}) and set AWS_REGION"
            )
            : new($"AWS_REGION={options.Region} is not the store's region", "set AWS_REGION to the one that the store names");
    }

    static Advice Unsupported(string words, S3Options options)
    {
        if (Mentions(words, "checksum", "Content-MD5", "x-amz-sdk"))
            return new(
                "the store does not accept this checksum",
                $"set S3_CHECKSUM to one that it accepts: Crc32C, Sha256, Md5 or None ({options.Checksum} now)"
            );
        var asked = new List<string> { "If-None-Match on PUT, without which delivery is not exactly once" };
        if (options.Checksum != UploadChecksum.None)
            asked.Add($"a checksum (S3_CHECKSUM={options.Checksum}; Md5 and None ask less)");
        if (options.Attributes.Encryption is { } encryption)
            asked.Add($"S3_SSE={encryption}");
        if (options.Attributes.StorageClass is { } storageClass)
            asked.Add($"S3_STORAGE_CLASS={storageClass}");
        if (options.Attributes.Tags.Count > 0)
            asked.Add("S3_TAGS");
        return new(
            $"the store does not support something that the request asks for: {string.Join(", ", asked)}",
            "leave out the options that you can, or use a store that supports them: Amazon S3, LocalStack, MinIO and moto do"
        );
    }

    static bool IsQuota(string code, string words) =>
        code.Contains("Quota", StringComparison.OrdinalIgnoreCase) || Mentions(words, "quota");

    static bool IsFull(string code, int status, string words) =>
        status == 507
        || code is "XMinioStorageFull" or "StorageFull" or "DiskFull" or "InsufficientStorage"
        || Mentions(words, "no space left", "free drive threshold", "disk is full", "disk full");

    static bool IsPlain(string words) =>
        words.Length == 0 || words.TrimEnd('.', '!').ToUpperInvariant() is "ACCESS DENIED" or "ACCESSDENIED" or "FORBIDDEN";

    static bool Mentions(string words, params ReadOnlySpan<string> any)
    {
        foreach (var word in any)
        {
            if (words.Contains(word, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }

    /// <summary>
    /// Matches the text of AuthorizationHeaderMalformed: "expecting 'eu-west-1'" (Amazon), "expected: 20261128/garage/s3/aws4_request"
    /// (Garage).
    /// </summary>
    [GeneratedRegex("(?:expecting '|expected: [0-9]{8}/)([A-Za-z0-9_-]+)['/]")]
    private static partial Regex ExpectedRegion();

    /// <summary>Matches "… is not authorized to perform: kms:GenerateDataKey on resource: …".</summary>
    [GeneratedRegex("(?<=perform: )(s3|kms):[A-Za-z]+")]
    private static partial Regex Action();
}
