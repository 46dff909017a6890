namespace ThermalStreaming.S3Forwarder;

/// <summary>Where the objects of a plan go.</summary>
sealed record Destination(string Bucket, string Prefix, string QuarantinePrefix);
