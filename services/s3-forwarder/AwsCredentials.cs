using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Where the keys of the uploading user come from. Immutable.</summary>
/// <param name="KeyId">Access key; null when a profile or the SDK's own chain gives it.</param>
/// <param name="Secret">Its secret.</param>
/// <param name="SessionToken">Goes with temporary keys.</param>
/// <param name="File">A credentials file in the AWS CLI's format; null when there is none, or when keys are given.</param>
/// <param name="Profile">The profile in it.</param>
sealed record AwsCredentials(string? KeyId = null, string? Secret = null, string? SessionToken = null, string? File = null, string Profile = "default")
{
    /// <summary>For people; no secrets.</summary>
    public string Description => KeyId is not null ? $"access key {S3Failure.Masked(KeyId)}"
        : File is not null ? $"profile {Profile} of {File}"
        : "the SDK's own chain found credentials";

    /// <summary>Null: the SDK looks for them itself (environment, profile, web identity, container, instance).</summary>
    public AWSCredentials? Create()
    {
        if (KeyId is not null && Secret is not null)
            return SessionToken is null ? new BasicAWSCredentials(KeyId, Secret) : new SessionAWSCredentials(KeyId, Secret, SessionToken);
        if (File is null)
            return null;
        var file = new SharedCredentialsFile(File);
        return file.TryGetProfile(Profile, out var profile)
            ? AWSCredentialsFactory.GetAWSCredentials(profile, file)
            : throw new AmazonClientException($"{File} has no profile '{Profile}' any more");
    }

    public static AwsCredentials Load(Settings settings)
    {
        var keyId = settings.Secret("AWS_ACCESS_KEY_ID", "Access key of the uploading user.");
        var secret = settings.Secret("AWS_SECRET_ACCESS_KEY", "Secret of the access key.");
        var token = settings.Secret("AWS_SESSION_TOKEN", "Session token of temporary keys.");
        var path = settings.OptionalText("AWS_SHARED_CREDENTIALS_FILE",
            "A credentials file in the AWS CLI's format, read where no key is set. With neither, the SDK looks for a role or the instance's credentials.");
        var profile = settings.Text("AWS_PROFILE", "default", "The profile in the credentials file.");
        if (keyId is null != secret is null)
        {
            settings.Problem($"{(keyId is null ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY")} is not set but its counterpart is; set both, or neither to use a credentials file or the SDK's own chain (profile, role, instance).");
            return new AwsCredentials(keyId, secret, token);
        }
        if (keyId is not null)
            return new AwsCredentials(keyId, secret, token);
        return path is not null && HasProfile(settings, path, profile) ? new AwsCredentials(File: path, Profile: profile) : new AwsCredentials();
    }

    /// <summary>False without a problem when the file is empty, which compose.yaml mounts where none is named.</summary>
    static bool HasProfile(Settings settings, string path, string profile)
    {
        try
        {
            if (string.IsNullOrWhiteSpace(System.IO.File.ReadAllText(path)))
                return false;
            if (!new SharedCredentialsFile(path).TryGetProfile(profile, out var found))
                settings.Problem($"AWS_SHARED_CREDENTIALS_FILE is '{path}', which has no profile '{profile}'; write [{profile}] above its keys, or name another one with AWS_PROFILE.");
            else if (!found.CanCreateAWSCredentials)
                settings.Problem($"AWS_SHARED_CREDENTIALS_FILE is '{path}'; its profile '{profile}' lacks aws_access_key_id or aws_secret_access_key.");
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            settings.Problem($"AWS_SHARED_CREDENTIALS_FILE is '{path}', which cannot be read ({Settings.Reason(e)}); correct the path, or make it readable for the user this process runs as: sudo chown 1654 on the file that AWS_CREDENTIALS_PATH names.");
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or ArgumentException or AmazonClientException)
        {
            // Not its content, which may be quoted in the message.
            settings.Problem($"AWS_SHARED_CREDENTIALS_FILE is '{path}', which is not a credentials file ({e.GetType().Name}); it must look like: [default] / aws_access_key_id = … / aws_secret_access_key = …, a line each.");
        }
        return true;
    }
}
