namespace ThermalStreaming.Testing;

/// <summary>PEM files for a TLS listener.</summary>
public sealed record BrokerTls(string CaFile, string CertificateFile, string KeyFile, bool RequireClientCertificate);
