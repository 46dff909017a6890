using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.SQS;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Makes the SDK's clients. The SDK finds the credentials itself: environment, file, profile, role.</summary>
static class AwsClients
{
    /// <summary>A client for the queue. Thread-safe.</summary>
    public static IAmazonSQS Queue(LoaderSettings settings)
    {
        var config = new AmazonSQSConfig();
        Configure(config, settings, settings.QueueEndpoint);
        return new AmazonSQSClient(config);
    }

    /// <summary>A client for the bucket. Thread-safe.</summary>
    public static IAmazonS3 Store(LoaderSettings settings)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = settings.StoreEndpoint is not null,
            // Servers other than Amazon's do not know the SDK's own checksums.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        Configure(config, settings, settings.StoreEndpoint);
        return new AmazonS3Client(config);
    }

    static void Configure(ClientConfig config, LoaderSettings settings, Uri? endpoint)
    {
        // The loader retries by itself, for as long as it takes.
        config.MaxErrorRetry = 1;
        config.ThrottleRetries = false;
        // For the start of an answer; a receive waits for 20 s.
        config.Timeout = FileLoader.Patience;
        if (endpoint is null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(settings.Region);
            return;
        }
        config.ServiceURL = endpoint.AbsoluteUri;
        config.AuthenticationRegion = settings.Region;
    }
}
