using System.Text.RegularExpressions;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Finds the source of the credentials in the order of the AWS CLI (keys, web identity, profile, container, instance) and reports every
/// problem in the settings. Asks an instance's metadata only if that is allowed: elsewhere it costs seconds and finds nothing, or somebody
/// else's role.
/// </summary>
static partial class AwsCredentialsLoader
{
    /// <param name="settings">The settings to search.</param>
    /// <param name="region">Region whose STS gives roles.</param>
    /// <param name="isAmazon">Whether the bucket is Amazon's.</param>
    public static AwsCredentials Load(Settings settings, string region, bool isAmazon)
    {
        var before = settings.Problems.Count;
        var source = LoadSource(settings);
        var role = LoadRole(settings);
        var sts = new StsOptions(region, LoadEndpoint(settings));
        if (role is not null && !isAmazon && !settings.Has("AWS_ENDPOINT_URL_STS"))
            settings.Problem(
                "AWS_ROLE_ARN is set and the bucket is not Amazon's; set AWS_ENDPOINT_URL_STS to the server that hands out this role, or "
                    + "leave AWS_ROLE_ARN out."
            );
        var isTokens = role?.TokenFile is not null && source.KeyId is null;
        if (!isTokens && source == new AwsCredentials() && settings.Problems.Count == before)
            settings.Problem(
                "No AWS credentials were found; write them into a file in the AWS CLI's format and name it with AWS_CREDENTIALS_PATH "
                    + "(outside Compose: AWS_SHARED_CREDENTIALS_FILE), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or on an EC2 "
                    + "instance with a role AWS_EC2_METADATA_DISABLED=false."
            );
        // Keys win over a token, as in the AWS CLI: they then assume the role.
        return (isTokens ? new AwsCredentials() : source) with
        {
            Role =
                isTokens ? role
                : role is null ? null
                : role with { TokenFile = null },
            Sts = sts,
        };
    }

    static AwsCredentials LoadSource(Settings settings)
    {
        var keyId = settings.Secret("AWS_ACCESS_KEY_ID", "Access key of the uploading user.");
        var secret = settings.Secret("AWS_SECRET_ACCESS_KEY", "Secret of the access key.");
        var token = settings.Secret("AWS_SESSION_TOKEN", "Session token of temporary keys.");
        var path = settings.OptionalText(
            "AWS_SHARED_CREDENTIALS_FILE",
            "A credentials file in the AWS CLI's format, read where no key is set; ~/.aws/credentials where this is not set either."
        );
        var profile = settings.Text("AWS_PROFILE", "default", "The profile in the credentials file.");
        var isInstanceAllowed = !settings.Flag(
            "AWS_EC2_METADATA_DISABLED",
            true,
            "false: ask the metadata service of the EC2 instance for the keys of its role, where nothing else gives any."
        );
        if (keyId is null != secret is null)
            settings.Problem(
                $"{(keyId is null ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY")} is not set but its counterpart is; set both, or neither "
                    + "to use a credentials file or a role."
            );
        if (keyId is not null || secret is not null)
            return new AwsCredentials(keyId, secret, token) { KeyFile = settings.SecretFile("AWS_ACCESS_KEY_ID") };
        if (path is null && !settings.Has("AWS_WEB_IDENTITY_TOKEN_FILE") && File.Exists(SharedCredentialsFile.DefaultFilePath))
            path = SharedCredentialsFile.DefaultFilePath;
        if (path is not null && HasProfile(settings, path, profile))
            return new AwsCredentials(File: path, Profile: profile);
        var isContainer = settings.Has("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") || settings.Has("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        return new AwsCredentials
        {
            Host =
                isContainer ? AwsHost.Container
                : isInstanceAllowed ? AwsHost.Instance
                : AwsHost.None,
        };
    }

    static AwsRole? LoadRole(Settings settings)
    {
        var arn = settings.OptionalText(
            "AWS_ROLE_ARN",
            "A role to assume: with the token in AWS_WEB_IDENTITY_TOKEN_FILE, else with the keys that were found. Its credentials "
                + "are renewed automatically."
        );
        var tokenFile = settings.OptionalText("AWS_WEB_IDENTITY_TOKEN_FILE", "A file with an OIDC token that AWS_ROLE_ARN trusts.");
        var session = settings.Text("AWS_ROLE_SESSION_NAME", AwsRole.DefaultSession, "Name of the role's session, which CloudTrail shows.");
        var externalId = settings.OptionalText("AWS_ROLE_EXTERNAL_ID", "The external id that the role's trust policy demands.");
        if (arn is null)
        {
            if (tokenFile is not null)
                settings.Problem(
                    "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not; set it to the ARN of the role that trusts the "
                        + "token's issuer."
                );
            return null;
        }
        if (!RolePattern().IsMatch(arn))
            settings.Problem($"AWS_ROLE_ARN is '{arn}'; it must be a role's ARN such as arn:aws:iam::111122223333:role/uploader.");
        if (!SessionPattern().IsMatch(session))
            settings.Problem($"AWS_ROLE_SESSION_NAME is '{session}'; it must be 2 to 64 letters, digits and + = , . @ - _.");
        if (tokenFile is not null && !File.Exists(tokenFile))
            settings.Problem($"AWS_WEB_IDENTITY_TOKEN_FILE is '{tokenFile}', which does not exist; correct the path, or mount the file.");
        return new AwsRole(arn, session) { ExternalId = externalId, TokenFile = tokenFile };
    }

    static Uri? LoadEndpoint(Settings settings)
    {
        var text = settings.OptionalText("AWS_ENDPOINT_URL_STS", "A server that hands out roles in place of AWS STS.");
        if (text is null)
            return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
            return uri;
        settings.Problem($"AWS_ENDPOINT_URL_STS is '{text}'; it must be http://host:port or https://host:port.");
        return null;
    }

    /// <summary>Why a profile gives no credentials although its keys are well-formed; null if it does. Makes no request.</summary>
    static string? RoleProblem(string path, string profile)
    {
        try
        {
            new AwsCredentials(File: path, Profile: profile).Create();
            return null;
        }
        catch (AmazonClientException e)
        {
            return e.Message;
        }
    }

    /// <summary>False without a problem if the file is empty: compose.yaml mounts an empty one if none is named.</summary>
    static bool HasProfile(Settings settings, string path, string profile)
    {
        try
        {
            if (string.IsNullOrWhiteSpace(File.ReadAllText(path)))
                return false;
            if (!new SharedCredentialsFile(path).TryGetProfile(profile, out var found))
                settings.Problem(
                    $"AWS_SHARED_CREDENTIALS_FILE is '{path}', which has no profile '{profile}'; write [{profile}] above its keys, or name "
                        + "another one with AWS_PROFILE."
                );
            else if (found.Options.SsoSession is not null || found.Options.SsoStartUrl is not null)
                settings.Problem(
                    $"AWS_SHARED_CREDENTIALS_FILE is '{path}'; its profile '{profile}' signs in by a browser (SSO), which a service cannot "
                        + "do; use an access key or a role."
                );
            else if (found.Options.RoleArn is null && !found.CanCreateAWSCredentials)
                settings.Problem(
                    $"AWS_SHARED_CREDENTIALS_FILE is '{path}'; its profile '{profile}' lacks aws_access_key_id or aws_secret_access_key."
                );
            else if (RoleProblem(path, profile) is { } problem)
                settings.Problem(
                    $"AWS_SHARED_CREDENTIALS_FILE is '{path}'; its profile '{profile}' cannot assume its role: {problem}. Name a "
                        + "profile with keys as source_profile, or EcsContainer or Ec2InstanceMetadata as credential_source."
                );
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            settings.Problem(
                $"AWS_SHARED_CREDENTIALS_FILE is '{path}', which cannot be read ({Settings.Reason(e)}); correct the path, or make it "
                    + "readable for the user this process runs as: sudo chown 1654 on the file that AWS_CREDENTIALS_PATH names."
            );
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or ArgumentException or AmazonClientException)
        {
            // Without the exception's details, which may quote the file.
            settings.Problem(
                $"AWS_SHARED_CREDENTIALS_FILE is '{path}', which is not a credentials file ({e.GetType().Name}); it must look like: "
                    + "[default] / aws_access_key_id = … / aws_secret_access_key = …, a line each."
            );
        }
        return true;
    }

    [GeneratedRegex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$")]
    private static partial Regex RolePattern();

    [GeneratedRegex("^[A-Za-z0-9+=,.@_-]{2,64}$")]
    private static partial Regex SessionPattern();
}
