namespace ThermalStreaming.Console;

/// <summary>A file of the page, compressed once.</summary>
/// <param name="ContentType">Its media type.</param>
/// <param name="Tag">Its ETag, in quotes: the beginning of its SHA-256.</param>
/// <param name="Plain">Uncompressed.</param>
/// <param name="Brotli">Compressed with Brotli.</param>
/// <param name="Gzip">Compressed with gzip.</param>
sealed record WebFile(string ContentType, string Tag, byte[] Plain, byte[] Brotli, byte[] Gzip);
