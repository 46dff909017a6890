using Amazon.Runtime;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Advice for when a role is not given. Codes: AWS STS API Reference, "AssumeRole" and "AssumeRoleWithWebIdentity", Errors; and "Common
/// Errors".
/// </summary>
static class StsAdvice
{
    /// <returns>Null when waiting may help and no action is needed.</returns>
    public static Advice? For(AmazonServiceException e, string role, AwsCredentials credentials) =>
        e.ErrorCode switch
        {
            "AccessDenied" => new(
                $"{role} does not let this identity assume it",
                "allow sts:AssumeRole in the role's trust policy for this user, with the external id that it demands (AWS_ROLE_EXTERNAL_ID), "
                    + "and in the user's own policy"
            ),
            "InvalidIdentityToken" or "IDPRejectedClaim" => new(
                "the web identity token is not one that AWS accepts for this role",
                "compare the token's issuer, audience and subject with the role's trust policy and the IAM identity provider"
            ),
            "ExpiredTokenException" or "ExpiredToken" => credentials.Role?.TokenFile is { } file
                ? new("the web identity token has run out", $"renew the token in {file}; it is read again for each attempt")
                : S3Advice.Expired(credentials),
            "InvalidClientTokenId" => new(
                $"AWS does not know the access key {S3Failure.Masked(credentials.KeyId)}; it was deleted, disabled or mistyped",
                "make a new one and set AWS_ACCESS_KEY_ID, or put it into the credentials file"
            ),
            "SignatureDoesNotMatch"
                when e.Message.Contains("Signature expired", StringComparison.OrdinalIgnoreCase)
                    || e.Message.Contains("not yet current", StringComparison.OrdinalIgnoreCase) => S3Advice.Clock,
            "SignatureDoesNotMatch" => S3Advice.WrongSecret,
            "RegionDisabledException" => new(
                $"STS is switched off in {credentials.Sts.Region} for the role's account",
                "switch it on: IAM, Account settings, Security Token Service"
            ),
            "ValidationError" => new("the role or session name is not valid", "correct AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME"),
            "IDPCommunicationError" or "Throttling" => null,
            _ when (int)e.StatusCode is >= 400 and < 500 and not (408 or 429) => new("", "`check` tries each step by itself"),
            _ => null,
        };
}
