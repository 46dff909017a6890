namespace ThermalStreaming.S3Forwarder;

/// <summary>A role to assume before requests are signed.</summary>
/// <param name="Arn">The role.</param>
/// <param name="Session">The session's name, which CloudTrail shows; 2 to 64 letters, digits and <c>+ = , . @ - _</c>.</param>
sealed record AwsRole(string Arn, string Session)
{
    public const string DefaultSession = "s3-forwarder";

    /// <summary>A secret that the role's trust policy may demand from another account.</summary>
    public string? ExternalId { get; init; }

    /// <summary>A file with an OIDC token (EKS, GitHub, SPIFFE), read again for each renewal; null: keys assume the role.</summary>
    public string? TokenFile { get; init; }
}
