namespace ThermalStreaming.S3Forwarder;

/// <summary>The service that gives roles.</summary>
/// <param name="Region">Region of the endpoint to ask.</param>
/// <param name="Endpoint">Null: Amazon's. Otherwise a stand-in.</param>
sealed record StsOptions(string Region, Uri? Endpoint);
