using Amazon.Runtime;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The step of <c>check</c> that names the owner of the keys, using STS, which every key may ask.</summary>
static class AwsIdentityCheck
{
    public static async Task<CheckResult> RunAsync(S3Options options, CancellationToken cancellationToken)
    {
        try
        {
            using var sts = RoleCredentials.Client(options.Credentials.Create(), options.Credentials.Sts);
            var who = await sts.GetCallerIdentityAsync(new(), cancellationToken);
            return who.Arn.EndsWith(":root", StringComparison.Ordinal)
                ? CheckResult.Warning(
                    who.Arn,
                    "These are the keys of the account's owner, which may do everything.",
                    "Make a user that may only upload (docs/s3-snowpipe.md), and delete the owner's access key."
                )
                : CheckResult.Ok(who.Arn);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var cause = e is AmazonClientException ? e : new AmazonClientException("GetCallerIdentity", e);
            return CheckResult.Warning(
                S3Failure.Explain(cause, "sts", options).Answer,
                "Uploading does not need this answer.",
                "Allow HTTPS to STS to see who owns the keys."
            );
        }
    }
}
