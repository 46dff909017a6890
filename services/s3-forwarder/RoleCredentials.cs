using Amazon;
using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Temporary keys of a role, renewed before they expire. Not the SDK's AssumeRoleAWSCredentials, which finds its client by reflection and
/// believes any answer. Thread-safe.
/// </summary>
/// <param name="role">The role, and how to assume it.</param>
/// <param name="source">Keys that assume it; null with a token.</param>
/// <param name="sts">Where to request it.</param>
sealed class RoleCredentials(AwsRole role, AWSCredentials? source, StsOptions sts) : RefreshingAWSCredentials
{
    /// <summary>AWS's default, which every role allows.</summary>
    const int Seconds = 3600;

    static readonly StoreConnection connection = new(inner => new StsAnswerGate(inner));

    /// <summary>Time limit of one STS answer: a hung connection must not delay the next attempt.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A client for STS; the caller disposes it.</summary>
    public static AmazonSecurityTokenServiceClient Client(AWSCredentials credentials, StsOptions sts)
    {
        var config = new AmazonSecurityTokenServiceConfig
        {
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = 1,
            IgnoreConfiguredEndpointUrls = true,
            HttpClientFactory = connection,
        };
        if (sts.Endpoint is null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(sts.Region);
        }
        else
        {
            config.ServiceURL = sts.Endpoint.AbsoluteUri;
            config.AuthenticationRegion = sts.Region;
        }
        return new AmazonSecurityTokenServiceClient(credentials, config);
    }

    /// <exception cref="AmazonClientException">The role was not given; the inner exception is STS's answer, or a network error.</exception>
    protected override async Task<CredentialsRefreshState> GenerateNewCredentialsAsync()
    {
        using var ceiling = new CancellationTokenSource(Patience, TimeProvider.System);
        try
        {
            using var client = Client(source ?? new AnonymousAWSCredentials(), sts);
            var keys = role.TokenFile is null
                ? await AssumeAsync(client, ceiling.Token)
                : await AssumeByTokenAsync(client, role.TokenFile, ceiling.Token);
            return new CredentialsRefreshState(
                new ImmutableCredentials(keys.AccessKeyId, keys.SecretAccessKey, keys.SessionToken),
                keys.Expiration!.Value.ToUniversalTime()
            );
        }
        catch (OperationCanceledException)
        {
            throw new AmazonClientException(
                $"role {role.Arn}",
                new TimeoutException($"STS did not answer within {Patience.TotalSeconds:0.#} s")
            );
        }
        catch (Exception e) when (e is not AmazonClientException)
        {
            throw new AmazonClientException($"role {role.Arn}", e);
        }
    }

    protected override CredentialsRefreshState GenerateNewCredentials() => GenerateNewCredentialsAsync().GetAwaiter().GetResult();

    async Task<Credentials> AssumeAsync(AmazonSecurityTokenServiceClient client, CancellationToken stop)
    {
        var request = new AssumeRoleRequest
        {
            RoleArn = role.Arn,
            RoleSessionName = role.Session,
            ExternalId = role.ExternalId,
            DurationSeconds = Seconds,
        };
        return (await client.AssumeRoleAsync(request, stop)).Credentials;
    }

    async Task<Credentials> AssumeByTokenAsync(AmazonSecurityTokenServiceClient client, string file, CancellationToken stop)
    {
        string token;
        try
        {
            token = (await File.ReadAllTextAsync(file, stop)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AmazonClientException($"AWS_WEB_IDENTITY_TOKEN_FILE is '{file}', which cannot be read: {e.Message}");
        }
        var request = new AssumeRoleWithWebIdentityRequest
        {
            RoleArn = role.Arn,
            RoleSessionName = role.Session,
            WebIdentityToken = token,
            DurationSeconds = Seconds,
        };
        return (await client.AssumeRoleWithWebIdentityAsync(request, stop)).Credentials;
    }
}
