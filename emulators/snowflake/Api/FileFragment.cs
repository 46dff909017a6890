using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// A part of an uploaded file, named by a client that appends its rows. fragment_length_uncompressed_bytes is not read: for some rows,
/// Snowflake's own SDK counts a byte more than it writes.
/// </summary>
/// <param name="FilePath">Bucket and key.</param>
/// <param name="FileETag">ETag of the whole file, without quotation marks.</param>
/// <param name="FileLength">Bytes of the whole file.</param>
/// <param name="Offset">Where the fragment starts.</param>
/// <param name="Length">Bytes of the fragment.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="Tokens">Offset tokens of the first and the last row.</param>
/// <param name="Iv">Initial counter of the fragment's encryption.</param>
/// <param name="Diversifier">As pipe-info gave it.</param>
/// <param name="KeyId">As pipe-info gave it.</param>
/// <param name="EncryptionVersion">How it is encrypted.</param>
sealed record FileFragment(
    string FilePath,
    string FileETag,
    long FileLength,
    long Offset,
    long Length,
    long Rows,
    OffsetTokens Tokens,
    byte[] Iv,
    string Diversifier,
    string KeyId,
    string EncryptionVersion
)
{
    const int MaxFragments = 1000;
    const int IvLength = 16;

    /// <summary>Reads the body of an append by files.</summary>
    /// <exception cref="JsonException">The JSON is not a list of fragments.</exception>
    public static List<FileFragment> ReadList(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Array || body.GetArrayLength() is 0 or > MaxFragments)
            throw new JsonException($"it must be a list of 1 to {MaxFragments} fragments");
        return [.. body.EnumerateArray().Select(Read)];
    }

    static FileFragment Read(JsonElement json)
    {
        JsonBody.RequireObject(json);
        string Text(string key) => JsonBody.OptionalText(json, key) ?? throw new JsonException($"{key} is missing");
        long Number(string key) =>
            json.TryGetProperty(key, out var value) && value.TryGetInt64(out var number) && number >= 0
                ? number
                : throw new JsonException($"{key} must be a whole number from 0");
        var iv =
            json.TryGetProperty("iv_base64", out var text) && text.TryGetBytesFromBase64(out var bytes) && bytes.Length == IvLength
                ? bytes
                : throw new JsonException($"iv_base64 must be {IvLength} bytes in Base64");
        return new FileFragment(
            Text("file_path"),
            Text("file_etag").Trim('"'),
            Number("file_length_bytes"),
            Number("fragment_start_byte_offset"),
            Number("fragment_length_bytes"),
            Number("fragment_row_count"),
            new OffsetTokens(
                JsonBody.OptionalText(json, "fragment_start_offset_token"),
                JsonBody.OptionalText(json, "fragment_end_offset_token")
            ),
            iv,
            Text("diversifier"),
            Text("master_key_id"),
            Text("encryption_version")
        );
    }
}
