namespace ThermalStreaming.S3Forwarder;

/// <summary>Compression of an object.</summary>
enum ObjectCompression { None, Gzip }
