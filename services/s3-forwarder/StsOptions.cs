namespace ThermalStreaming.S3Forwarder;

/// <summary>The service that hands out roles.</summary>
/// <param name="Region">Region whose endpoint is asked.</param>
/// <param name="Endpoint">Null: Amazon's. Otherwise a stand-in.</param>
sealed record StsOptions(string Region, Uri? Endpoint);
