using System.Security.Cryptography;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>MD5 as S3 uses it: against accidents, not against forgery.</summary>
static class Md5
{
#pragma warning disable CA5351 // S3's ETags and Content-MD5 are MD5.
    public static byte[] Of(byte[] bytes) => MD5.HashData(bytes);
#pragma warning restore CA5351

    /// <summary>As in an ETag, without its quotes.</summary>
    public static string Hex(byte[] bytes) => Convert.ToHexStringLower(Of(bytes));
}
