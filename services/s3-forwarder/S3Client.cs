using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The SDK's client as this service needs it. Not through AWSSDK.Extensions.NETCore.Setup, which is not safe to trim (aws-sdk-net#3044).</summary>
static class S3Client
{
    /// <summary>Thread-safe; one for the process.</summary>
    /// <param name="options">Where to and as whom.</param>
    /// <param name="retries">The forwarding loop retries for ever; here only what a broken keep-alive connection or a lone 500 needs.</param>
    public static IAmazonS3 Create(S3Options options, int retries = 1)
    {
        var config = new AmazonS3Config
        {
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = retries,
            ThrottleRetries = false,
            // Each upload brings a deadline that depends on its size.
            Timeout = TimeSpan.FromHours(1),
            ConnectTimeout = TimeSpan.FromSeconds(10),
        };
        if (options.Endpoint is null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        }
        else
        {
            config.ServiceURL = options.Endpoint.AbsoluteUri;
            config.AuthenticationRegion = options.Region;
            config.ForcePathStyle = true;
            // The trailing checksums that the SDK adds by default are more than many servers know (aws-sdk-net#3610, #3615).
            config.RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED;
            config.ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED;
        }
        return options switch
        {
            { AccessKeyId: not null, SecretAccessKey: not null, SessionToken: not null } => new AmazonS3Client(options.AccessKeyId, options.SecretAccessKey, options.SessionToken, config),
            { AccessKeyId: not null, SecretAccessKey: not null } => new AmazonS3Client(options.AccessKeyId, options.SecretAccessKey, config),
            _ => new AmazonS3Client(config),
        };
    }

    /// <summary>A PUT that never overwrites.</summary>
    public static PutObjectRequest PutIfAbsent(S3Options options, string bucket, string key, Stream body, string contentType) => new()
    {
        BucketName = bucket,
        Key = key,
        InputStream = body,
        AutoCloseStream = false,
        AutoResetStreamPosition = true,
        ContentType = contentType,
        IfNoneMatch = "*",
        // Stand-ins on plain http store the chunks' framing as if it were content.
        UseChunkEncoding = options.Endpoint is null,
    };
}
