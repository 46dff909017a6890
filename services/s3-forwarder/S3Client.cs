using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// The SDK's client as this service needs it. Not through AWSSDK.Extensions.NETCore.Setup, which is not safe to trim (aws-sdk-net#3044).
/// </summary>
static class S3Client
{
    /// <summary>Thread-safe; one for the process.</summary>
    /// <param name="options">The store and the credentials.</param>
    /// <param name="retries">
    /// Null: as the settings say. The forwarding loop retries for ever; retries here only cover a broken keep-alive connection or a lone
    /// 500.
    /// </param>
    /// <param name="requests">Measures requests; null: they are not measured.</param>
    /// <exception cref="AmazonClientException">The credentials file changed after the settings were read.</exception>
    public static IAmazonS3 Create(S3Options options, int? retries = null, RequestMetrics? requests = null)
    {
        var config = new AmazonS3Config
        {
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = retries ?? options.MaxAttempts - 1,
            ThrottleRetries = false,
            HttpClientFactory = new StoreConnection(inner => new AnswerGate(
                requests is null ? inner : new TimedRequests(inner, Operation, requests),
                isAmazon: options.Endpoint is null
            )),
            // The settings have already read these variables.
            IgnoreConfiguredEndpointUrls = true,
            ForcePathStyle = options.PathStyle,
            // Each upload carries the checksum that S3_CHECKSUM names. By default the SDK would add trailers, which many servers do not
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
        }
        return new AmazonS3Client(options.Credentials.Create(), config);
    }

    /// <summary>Uploads are PUT and their proofs are HEAD; everything else belongs to <c>check</c> and to the probe at a start.</summary>
    static string Operation(HttpRequestMessage request) =>
        request.Method == HttpMethod.Put ? "put"
        : request.Method == HttpMethod.Head ? "head"
        : request.Method == HttpMethod.Get ? "get"
        : "other";
}
