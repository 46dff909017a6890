using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Source of the keys that sign requests. It is chosen when the settings are read and does not change then, so that <c>check</c> can name
/// it. Immutable.
/// </summary>
/// <param name="KeyId">Access key; null if another source gives it.</param>
/// <param name="Secret">Its secret.</param>
/// <param name="SessionToken">Belongs to temporary keys.</param>
/// <param name="File">A credentials file in the AWS CLI's format; null if it is not the source.</param>
/// <param name="Profile">The profile in it.</param>
sealed record AwsCredentials(
    string? KeyId = null,
    string? Secret = null,
    string? SessionToken = null,
    string? File = null,
    string Profile = "default"
)
{
    /// <summary>The setting that the access key was read from, if it is not AWS_ACCESS_KEY_ID itself.</summary>
    public string? KeyFile { get; init; }

    /// <summary>A role to assume: with the token of <see cref="AwsRole.TokenFile"/>, or with the keys of the source above.</summary>
    public AwsRole? Role { get; init; }

    /// <summary>The host environment that gives the keys.</summary>
    public AwsHost Host { get; init; }

    /// <summary>Where and how to request roles.</summary>
    public StsOptions Sts { get; init; } = new("us-east-1", null);

    /// <summary>For people; no secrets.</summary>
    public string Description =>
        Role switch
        {
            { TokenFile: { } token } => $"role {Role.Arn} by the web identity in {token}",
            not null => $"role {Role.Arn}, assumed with {Source}",
            null => Source,
        };

    /// <summary>Whether the keys expire and this process renews them itself.</summary>
    public bool IsRenewed => Role is not null || Host != AwsHost.None;

    string Source =>
        KeyId is not null
            ? $"access key {S3Failure.Masked(KeyId)} from "
                + (KeyFile is not null ? $"the file {KeyFile}" : "the environment, which `docker inspect` shows")
        : File is not null ? $"profile {Profile} of {File}"
        : Host switch
        {
            AwsHost.Container => "the container's credentials (AWS_CONTAINER_CREDENTIALS_…)",
            AwsHost.Instance => "the instance's role (EC2 metadata)",
            _ => "no credentials",
        };

    /// <summary>Creates the SDK's credentials without requesting anything yet.</summary>
    /// <exception cref="AmazonClientException">The file changed after the settings were read, or there is no source.</exception>
    public AWSCredentials Create() =>
        Role is null ? CreateSource() : new RoleCredentials(Role, Role.TokenFile is null ? CreateSource() : null, Sts);

    AWSCredentials CreateSource()
    {
        if (KeyId is not null && Secret is not null)
            return SessionToken is null ? new BasicAWSCredentials(KeyId, Secret) : new SessionAWSCredentials(KeyId, Secret, SessionToken);
        if (File is not null)
            return FromProfile(new SharedCredentialsFile(File), Profile, depth: 0);
        return FromHost(Host);
    }

    static AWSCredentials FromHost(AwsHost host) =>
        host switch
        {
            AwsHost.Container => new GenericContainerCredentials(),
            AwsHost.Instance => new InstanceCredentials(),
            _ => throw new AmazonClientException("no credentials are configured"),
        };

    /// <summary>
    /// A role in a profile is assumed by <see cref="RoleCredentials"/>, because the SDK's own code finds its client by reflection and
    /// accepts any answer.
    /// </summary>
    AWSCredentials FromProfile(SharedCredentialsFile file, string name, int depth)
    {
        if (depth > 4 || !file.TryGetProfile(name, out var profile))
            throw new AmazonClientException(
                depth > 4 ? $"the source_profile of '{name}' in {File} leads in a circle" : $"{File} has no profile '{name}'"
            );
        var options = profile.Options;
        if (string.IsNullOrEmpty(options.RoleArn))
            return AWSCredentialsFactory.GetAWSCredentials(profile, file);
        var role = new AwsRole(options.RoleArn, options.RoleSessionName ?? AwsRole.DefaultSession)
        {
            ExternalId = options.ExternalID,
            TokenFile = options.WebIdentityTokenFile,
        };
        var source =
            role.TokenFile is not null ? null
            : options.SourceProfile is { Length: > 0 } from && from != name ? FromProfile(file, from, depth + 1)
            : options.CredentialSource switch
            {
                "EcsContainer" => FromHost(AwsHost.Container),
                "Ec2InstanceMetadata" => FromHost(AwsHost.Instance),
                // The keys are in the role's own profile, which the AWS CLI also allows.
                _ when options is { AccessKey: not null, Token: not null } => new SessionAWSCredentials(
                    options.AccessKey,
                    options.SecretKey,
                    options.Token
                ),
                _ when options.AccessKey is not null => new BasicAWSCredentials(options.AccessKey, options.SecretKey),
                _ => throw new AmazonClientException($"profile '{name}' of {File} has a role_arn and no source_profile to assume it with"),
            };
        return new RoleCredentials(role, source, Sts);
    }
}
