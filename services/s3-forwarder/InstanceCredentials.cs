using Amazon.Runtime;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// The role of the EC2 instance. Asks its metadata when the keys are first needed, not when the service is built. Thread-safe.
/// </summary>
sealed class InstanceCredentials : AWSCredentials
{
    readonly Lazy<AWSCredentials> role = new(() => new InstanceProfileAWSCredentials(), LazyThreadSafetyMode.PublicationOnly);

    /// <exception cref="AmazonClientException">There is no instance, or it has no role.</exception>
    public override ImmutableCredentials GetCredentials()
    {
        try
        {
            return role.Value.GetCredentials();
        }
        catch (Exception e) when (e is not AmazonClientException)
        {
            throw new AmazonClientException("the instance's metadata (169.254.169.254) gives no keys", e);
        }
    }

    /// <inheritdoc cref="GetCredentials"/>
    public override Task<ImmutableCredentials> GetCredentialsAsync() => Task.Run(GetCredentials);
}
