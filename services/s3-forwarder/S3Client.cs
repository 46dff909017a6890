using Amazon;
using Amazon.Runtime;
using Amazon.S3;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// The SDK's client as this service needs it. Not through AWSSDK.Extensions.NETCore.Setup, which is not safe to trim (aws-sdk-net#3044).
/// </summary>
static class S3Client
{
    /// <summary>Thread-safe; one for the process.</summary>
    /// <param name="options">The store and the credentials.</param>
    /// <param name="retries">The forwarding loop retries for ever; here only what a broken keep-alive connection or a lone 500
    /// needs.</param>
    public static IAmazonS3 Create(S3Options options, int retries = 1)
    {
        var config = new AmazonS3Config
        {
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = retries,
            ThrottleRetries = false,
            HttpClientFactory = new StoreConnection(isAmazon: options.Endpoint is null),
            // Each upload brings the checksum that S3_CHECKSUM names. What the SDK adds by itself are trailers, which many servers do not
            // know (aws-sdk-net#3610, #3615).
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
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
        }
        return options.Credentials.Create() is { } credentials ? new AmazonS3Client(credentials, config) : new AmazonS3Client(config);
    }
}
