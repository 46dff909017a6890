using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>
/// A client of the stage, written from AWS's description of Signature Version 4 and of chunked uploads, and of the file protocol as
/// Snowflake's own SDK speaks it.
/// </summary>
sealed class StageClient(Emulator emulator, JsonNode info)
{
    /// <summary>How a body is coded: the value of x-amz-content-sha256.</summary>
    public const string Unsigned = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    public const string Signed = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";

    public JsonNode Location => info["rowset_stage_location"]!;
    public JsonNode Encryption => info["encryption_info"]!;
    public string Folder => (string)Location["location"]!;

    /// <summary>What a test changes about an upload.</summary>
    public sealed record Upload(byte[] Content)
    {
        public string Coding { get; init; } = Unsigned;
        public string? Checksum { get; init; }
        public string? Secret { get; init; }
        public string? Token { get; init; }
        public DateTimeOffset? Time { get; init; }
        public int? DecodedLength { get; init; }
        public Func<string, string>? Body { get; init; }
        public Action<HttpRequestMessage>? AfterSigning { get; init; }
    }

    public static async Task<StageClient> StartAsync(Emulator emulator, string pipe = Emulator.Pipe)
    {
        var answer = await emulator.SendAsync(
            HttpMethod.Post,
            pipe + ":pipe-info?requestId=1&retryCount=0",
            Emulator.Text("""{"generate_new_token":true,"encryption_version":"AES-CTR-128.1"}""", "application/json")
        );
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return new StageClient(emulator, answer.Json);
    }

    public static string Crc32Of(ReadOnlySpan<byte> data)
    {
        // Bit by bit, as ISO 3309 defines it.
        var crc = 0xFFFFFFFFu;
        foreach (var b in data)
        {
            crc ^= b;
            for (var i = 0; i < 8; i++)
                crc = (crc >> 1) ^ (0xEDB88320 & (uint)-(int)(crc & 1));
        }
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, ~crc);
        return Convert.ToBase64String(bytes);
    }

    public async Task<Answer> PutAsync(string path, Upload upload)
    {
        var content = upload.Content;
        var time = upload.Time ?? TimeProvider.System.GetUtcNow();
        var stamp = time.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{stamp[..8]}/{Location["region"]}/s3/aws4_request";
        var checksum = upload.Checksum ?? Crc32Of(content);
        var plain = !upload.Coding.StartsWith("STREAMING-", StringComparison.Ordinal);
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/{path}?x-id=PutObject");
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["host"] = emulator.Client.BaseAddress!.Authority,
            ["x-amz-content-sha256"] = upload.Coding,
            ["x-amz-date"] = stamp,
            ["x-amz-security-token"] = upload.Token ?? (string)Location["creds"]!["AWS_TOKEN"]!,
        };
        if (!plain)
        {
            headers["content-encoding"] = "aws-chunked";
            headers["x-amz-decoded-content-length"] = (upload.DecodedLength ?? content.Length).ToString(CultureInfo.InvariantCulture);
            headers["x-amz-trailer"] = "x-amz-checksum-crc32";
        }

        var canonical =
            $"PUT\n/{path}\nx-id=PutObject\n{string.Concat(headers.Select(h => $"{h.Key}:{h.Value}\n"))}\n{string.Join(';', headers.Keys)}\n{upload.Coding}";
        var key = Encoding.UTF8.GetBytes("AWS4" + (upload.Secret ?? (string)Location["creds"]!["AWS_SECRET_KEY"]!));
        foreach (var part in scope.Split('/'))
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        string Sign(string text) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
        static string Hash(byte[] data) => Convert.ToHexStringLower(SHA256.HashData(data));

        var signature = Sign($"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{Hash(Encoding.UTF8.GetBytes(canonical))}");
        foreach (var (name, value) in headers)
        {
            if (name != "content-encoding")
                request.Headers.TryAddWithoutValidation(name, value);
        }
        request.Headers.TryAddWithoutValidation(
            "Authorization",
            $"AWS4-HMAC-SHA256 Credential={Location["creds"]!["AWS_KEY_ID"]}/{scope}, SignedHeaders={string.Join(';', headers.Keys)}, "
                + $"Signature={signature}"
        );

        var body = Encoding.Latin1.GetString(content);
        if (!plain)
        {
            var coded = new StringBuilder();
            var size = Math.Max(1, (content.Length / 3) + 1);
            foreach (var chunk in content.Chunk(size).Append([]))
            {
                coded.Append(CultureInfo.InvariantCulture, $"{chunk.Length:x}");
                if (upload.Coding == Signed)
                {
                    signature = Sign($"AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{scope}\n{signature}\n{Hash([])}\n{Hash(chunk)}");
                    coded.Append(";chunk-signature=").Append(signature);
                }
                coded.Append("\r\n");
                if (chunk.Length > 0)
                    coded.Append(Encoding.Latin1.GetString(chunk)).Append("\r\n");
            }
            coded.Append(CultureInfo.InvariantCulture, $"x-amz-checksum-crc32:{checksum}\r\n");
            if (upload.Coding == Signed)
            {
                var trailer = Hash(Encoding.UTF8.GetBytes($"x-amz-checksum-crc32:{checksum}\n"));
                coded
                    .Append("x-amz-trailer-signature:")
                    .Append(Sign($"AWS4-HMAC-SHA256-TRAILER\n{stamp}\n{scope}\n{signature}\n{trailer}"))
                    .Append("\r\n");
            }
            body = coded.Append("\r\n").ToString();
        }
        request.Content = new ByteArrayContent(Encoding.Latin1.GetBytes(upload.Body?.Invoke(body) ?? body));
        if (!plain)
            request.Content.Headers.TryAddWithoutValidation("content-encoding", "aws-chunked");
        upload.AfterSigning?.Invoke(request);
        var response = await emulator.Client.SendAsync(request);
        return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(), response);
    }

    /// <summary>Compresses and encrypts rows as one fragment, by the textbook: the counter goes up by one with each block.</summary>
    public (byte[] Content, byte[] Iv) Encrypt(string rows)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(rows));
        var content = packed.ToArray();
        var iv = RandomNumberGenerator.GetBytes(16);
        // The last bytes all set: the counter carries into the upper half soon.
        iv.AsSpan(8, 7).Fill(0xFF);
        using var aes = Aes.Create();
        aes.Key = Convert.FromBase64String((string)Encryption["pipe_key"]!);
        var counter = (byte[])iv.Clone();
        for (var at = 0; at < content.Length; at += 16)
        {
            var block = aes.EncryptEcb(counter, PaddingMode.None);
            for (var i = 0; i < 16 && at + i < content.Length; i++)
                content[at + i] ^= block[i];
            for (var i = 15; i >= 0 && ++counter[i] == 0; i--) { }
        }
        return (content, iv);
    }

    /// <summary>Describes a fragment of an uploaded file as the SDK does.</summary>
    public JsonObject Fragment(
        string path,
        byte[] file,
        byte[] iv,
        int rows,
        string start,
        string end,
        int offset = 0,
        int? length = null
    ) =>
        new()
        {
            ["file_path"] = path,
            ["content_type"] = "application/x-ndjson",
#pragma warning disable CA5351
            ["file_etag"] = Convert.ToHexStringLower(MD5.HashData(file)),
#pragma warning restore CA5351
            ["file_length_bytes"] = file.Length,
            ["fragment_length_bytes"] = length ?? file.Length,
            ["fragment_length_uncompressed_bytes"] = 1,
            ["fragment_start_offset_token"] = start,
            ["fragment_end_offset_token"] = end,
            ["fragment_row_count"] = rows,
            ["fragment_start_byte_offset"] = offset,
            ["diversifier"] = (string)Encryption["diversifier"]!,
            ["master_key_id"] = (string)Encryption["pipe_key_id"]!,
            ["iv_base64"] = Convert.ToBase64String(iv),
            ["encryption_version"] = "AES-CTR-128.1",
            ["min_append_timestamp_ms"] = 0,
        };

    public Task<Answer> AppendAsync(string token, params JsonObject[] fragments) =>
        emulator.SendAsync(
            HttpMethod.Post,
            $"{Emulator.Data}/channels/CH/filebuffer?continuationToken={token}&requestId=1&retryCount=0",
            Emulator.Text(new JsonArray([.. fragments]).ToJsonString(), "application/json")
        );
}
