using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using static ThermalStreaming.SnowflakeEmulator.Tests.StageClient;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>Uploads to the stage: signature, coding and checksums.</summary>
public class StageTests
{
    static readonly byte[] Content = Encoding.UTF8.GetBytes(new string('x', 200_000));

    static async Task<(Emulator, StageClient)> StartAsync(TimeProvider? clock = null)
    {
        var emulator = await Emulator.StartAsync(clock: clock);
        return (emulator, await StageClient.StartAsync(emulator));
    }

    static string[] Files(Emulator emulator) =>
        Directory.GetFiles(Path.Combine(emulator.DataDirectory, "stage"), "*", SearchOption.AllDirectories);

    [Theory]
    [InlineData(Unsigned)]
    [InlineData(Signed)]
    [InlineData("UNSIGNED-PAYLOAD")]
    [InlineData("sha256")]
    public async Task An_upload_is_taken_in_every_coding_and_answered_with_its_ETag(string coding)
    {
        var (emulator, client) = await StartAsync();
        await using var stop = emulator;
        if (coding == "sha256")
            coding = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Content));

        var answer = await client.PutAsync(client.Folder + "0.ndjson", new Upload(Content) { Coding = coding });

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal((string)client.Fragment("", Content, [], 1, "", "")["file_etag"]!, answer.Message.Headers.ETag!.Tag.Trim('"'));
        Assert.Equal(Content.Length + 16, new FileInfo(Assert.Single(Files(emulator))).Length);
        if (coding == Unsigned)
            Assert.Equal(Crc32Of(Content), answer.Message.Headers.GetValues("x-amz-checksum-crc32").Single());
    }

    public static TheoryData<string> Wrongs =>
        [
            "checksum",
            "no checksum",
            "secret",
            "token",
            "other folder",
            "no name",
            "header",
            "late",
            "early",
            "short",
            "long",
            "cut",
            "broken chunk",
            "hash",
            "chunk",
            "trailer",
            "too large",
            "checksum kind",
            "method",
        ];

    [Theory]
    [MemberData(nameof(Wrongs))]
    public async Task An_upload_that_is_not_what_was_signed_or_announced_is_refused_and_leaves_nothing(string wrong)
    {
        var (emulator, client) = await StartAsync();
        await using var stop = emulator;
        var name = client.Folder + "0.ndjson";
        var good = new Upload(Content);
        var last = client.Folder.TrimEnd('/');
        var (path, upload, status, code) = wrong switch
        {
            "checksum" => (name, good with { Checksum = "AAAAAA==" }, 400, "BadDigest"),
            "no checksum" => (
                name,
                good with
                {
                    Body = b => b.Replace("x-amz-checksum-crc32:" + Crc32Of(Content) + "\r\n", "", StringComparison.Ordinal),
                },
                400,
                "MalformedTrailerError"
            ),
            "secret" => (name, good with { Secret = "another" }, 403, "SignatureDoesNotMatch"),
            "token" => (name, good with { Token = "eyJ.eyJ" }, 403, "InvalidToken"),
            "other folder" => (last[..last.LastIndexOf('/')] + "/elsewhere/0.ndjson", good, 403, "AccessDenied"),
            "no name" => (client.Folder, good, 403, "AccessDenied"),
            "header" => (name, good with { AfterSigning = r => r.Headers.Add("x-amz-storage-class", "GLACIER") }, 403, "AccessDenied"),
            "late" => (name, good with { Time = TimeProvider.System.GetUtcNow().AddMinutes(-20) }, 403, "RequestTimeTooSkewed"),
            "early" => (name, good with { Time = TimeProvider.System.GetUtcNow().AddMinutes(20) }, 403, "RequestTimeTooSkewed"),
            "short" => (name, good with { DecodedLength = Content.Length + 1 }, 400, "IncompleteBody"),
            "long" => (name, good with { DecodedLength = Content.Length - 1 }, 400, "EntityTooLarge"),
            "cut" => (name, good with { Body = b => b[..150_000] }, 400, "IncompleteBody"),
            "broken chunk" => (name, good with { Body = b => "zz\r\n" + b }, 400, "InvalidRequest"),
            "hash" => (name, good with { Coding = new string('0', 64) }, 400, "XAmzContentSHA256Mismatch"),
            "chunk" => (
                name,
                good with
                {
                    Coding = Signed,
                    Body = b => b.Replace("xxxx\r\n", "xxxy\r\n", StringComparison.Ordinal),
                },
                403,
                "SignatureDoesNotMatch"
            ),
            "trailer" => (
                name,
                good with
                {
                    Coding = Signed,
                    Body = b => b.Replace("x-amz-trailer-signature:", "x-amz-trailer-signature:0", StringComparison.Ordinal),
                },
                403,
                "SignatureDoesNotMatch"
            ),
            "too large" => (name, good with { DecodedLength = Stage.MaxFile + 1 }, 400, "EntityTooLarge"),
            "checksum kind" => (
                name,
                good with
                {
                    Coding = "UNSIGNED-PAYLOAD",
                    AfterSigning = r => r.Headers.Add("x-amz-checksum-crc64nvme", "AAAA"),
                },
                403,
                "AccessDenied"
            ),
            _ => (name, good with { AfterSigning = r => r.Method = HttpMethod.Delete }, 405, "MethodNotAllowed"),
        };

        var answer = await client.PutAsync(path, upload);

        Assert.Equal(status, (int)answer.Status);
        Assert.Contains($"<Code>{code}</Code>", answer.Body, StringComparison.Ordinal);
        Assert.Empty(Files(emulator));
    }

    [Fact]
    public async Task Credentials_expire_and_files_that_nobody_appends_go()
    {
        var clock = Emulator.NewClock();
        var (emulator, client) = await StartAsync(clock);
        await using var stop = emulator;
        Assert.Equal(
            HttpStatusCode.OK,
            (await client.PutAsync(client.Folder + "0.ndjson", new Upload(Content) { Time = clock.GetUtcNow() })).Status
        );

        clock.Advance(TimeSpan.FromMinutes(61));

        var late = await client.PutAsync(client.Folder + "1.ndjson", new Upload(Content) { Time = clock.GetUtcNow() });
        Assert.Contains("<Code>ExpiredToken</Code>", late.Body, StringComparison.Ordinal);
        var next = await StageClient.StartAsync(emulator);
        Assert.NotEqual(client.Folder, next.Folder);
        await next.PutAsync(next.Folder + "0.ndjson", new Upload(Content) { Time = clock.GetUtcNow() });
        Assert.Single(Files(emulator));
    }

    [Fact]
    public async Task A_reset_removes_what_was_uploaded()
    {
        var (emulator, client) = await StartAsync();
        await using var stop = emulator;
        await client.PutAsync(client.Folder + "0.ndjson", new Upload(Content));

        await emulator.SendAsync(HttpMethod.Post, "/emulator/reset");

        Assert.Empty(Files(emulator));
    }

    // ── Published examples ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// <summary>The example of AWS's page on chunked uploads, with its key, time and signatures.</summary>
    [Fact]
    public void The_signatures_of_the_published_example_are_verified()
    {
        var context = new DefaultHttpContext();
        context.Features.Get<IHttpRequestFeature>()!.RawTarget = "/examplebucket/chunkObject.txt";
        var request = context.Request;
        request.Method = "PUT";
        request.Headers.Host = "s3.amazonaws.com";
        request.Headers["x-amz-date"] = "20130524T000000Z";
        request.Headers["x-amz-storage-class"] = "REDUCED_REDUNDANCY";
        request.Headers["x-amz-content-sha256"] = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
        request.Headers.ContentEncoding = "aws-chunked";
        request.Headers["x-amz-decoded-content-length"] = "66560";
        request.Headers.ContentLength = 66824;
        request.Headers.Authorization =
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            + "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,"
            + "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
        var time = new DateTimeOffset(2013, 5, 24, 0, 0, 0, TimeSpan.Zero);
        var credentials = new StageCredentials("", time, "", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        static string Hash(int length) =>
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.ASCII.GetBytes(new string('a', length))));

        var signature = AwsSignature.Verify(request, credentials, time);

        signature.VerifyChunk("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", Hash(65536));
        signature.VerifyChunk("0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", Hash(1024));
        signature.VerifyChunk("b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", Hash(0));
        Assert.Throws<S3Exception>(() =>
            signature.VerifyChunk("b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", Hash(0))
        );
    }

    /// <summary>NIST SP 800-38A, F.5.5: CTR-AES256.Encrypt.</summary>
    [Fact]
    public void Counter_mode_gives_the_published_ciphertext()
    {
        var key = Convert.FromHexString("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
        var data = Convert.FromHexString(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
        );

        AesCtr.Transform(key, Convert.FromHexString("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), data);

        Assert.Equal(
            "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
            Convert.ToHexStringLower(data)
        );
    }

    [Fact]
    public void The_checksum_has_its_published_check_value() => Assert.Equal(0xCBF43926, Crc32.Of("123456789"u8));

    // ── Appending files ─────────────────────────────────────────────────────────────────────────────────────────────────────

    static string Rows(int from, int count) => string.Concat(Enumerable.Range(from, count).Select(i => Emulator.Row($"{i:D6}")));

    [Fact]
    public async Task The_rows_of_a_file_are_in_the_table_once_whatever_is_repeated()
    {
        var (emulator, client) = await StartAsync();
        await using var stop = emulator;
        await emulator.OpenAsync();
        var (content, iv) = client.Encrypt(Rows(0, 30_000) + "\n\n");
        var path = client.Folder + "0.ndjson";
        await client.PutAsync(path, new Upload(content));
        var fragment = client.Fragment(path, content, iv, 30_000, "0", "29999");

        var first = await client.AppendAsync("0_1", fragment.DeepClone().AsObject());
        var again = await client.AppendAsync("0_1", fragment.DeepClone().AsObject());

        Assert.Equal("0_2", first.Next);
        Assert.Equal("0_2", again.Next);
        Assert.Equal("29999", await emulator.CommittedAsync());
        Assert.Equal(string.Concat(Enumerable.Range(0, 30_000).Select(i => $"{i:D6}")), await emulator.UuidsAsync());
        await emulator.RestartAsync();
        Assert.Equal(30_000, (await emulator.RowsAsync()).Length);
    }

    [Fact]
    public async Task Fragments_of_one_file_and_of_several_are_one_append()
    {
        var (emulator, client) = await StartAsync();
        await using var stop = emulator;
        await emulator.OpenAsync();
        var (a, ivA) = client.Encrypt(Rows(0, 10));
        var (b, ivB) = client.Encrypt(Rows(10, 10) + "bad\n");
        var (c, ivC) = client.Encrypt(Rows(20, 10));
        byte[] both = [.. a, .. b];
        await client.PutAsync(client.Folder + "0.ndjson", new Upload(both));
        await client.PutAsync(client.Folder + "1.ndjson", new Upload(c));

        var answer = await client.AppendAsync(
            "0_1",
            client.Fragment(client.Folder + "0.ndjson", both, ivA, 10, "0", "9", 0, a.Length),
            client.Fragment(client.Folder + "0.ndjson", both, ivB, 11, "10", "19", a.Length, b.Length),
            client.Fragment(client.Folder + "1.ndjson", c, ivC, 10, "20", "29")
        );

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(string.Concat(Enumerable.Range(0, 30).Select(i => $"{i:D6}")), await emulator.UuidsAsync());
        var status = await emulator.StatusAsync();
        Assert.Equal("29", (string?)status["last_committed_offset_token"]);
        Assert.Equal(1, (int)status["rows_error_count"]!);
    }

    [Theory]
    [InlineData("fragment_row_count", 9)]
    [InlineData("fragment_row_count", -1)]
    [InlineData("file_etag", "d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("file_length_bytes", 1)]
    [InlineData("fragment_length_bytes", 0)]
    [InlineData("fragment_length_bytes", 4_000_000_000)]
    [InlineData("fragment_start_byte_offset", 1)]
    [InlineData("fragment_start_byte_offset", long.MaxValue)]
    [InlineData("diversifier", "another")]
    [InlineData("master_key_id", "2")]
    [InlineData("encryption_version", "AES-GCM")]
    [InlineData("iv_base64", "AAAA")]
    [InlineData("iv_base64", "AAAAAAAAAAAAAAAAAAAAAA==")]
    [InlineData("file_path", "snowflake-stage/elsewhere/0.ndjson")]
    [InlineData("file_path", null)]
    public async Task A_fragment_that_is_not_what_was_uploaded_is_refused_and_nothing_is_stored(string name, object? value)
    {
        var (emulator, client) = await StartAsync();
        await using var stop = emulator;
        await emulator.OpenAsync();
        var (content, iv) = client.Encrypt(Rows(0, 10));
        var path = client.Folder + "0.ndjson";
        await client.PutAsync(path, new Upload(content));
        var fragment = client.Fragment(path, content, iv, 10, "0", "9");
        fragment[name] = value is null ? null : JsonValue.Create(value);

        var answer = await client.AppendAsync("0_1", fragment);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.NotNull(answer.Code);
        Assert.Empty(await emulator.RowsAsync());
        Assert.Empty(await emulator.ErrorsAsync());
        // The channel is as before.
        Assert.Equal("0_2", (await client.AppendAsync("0_1", client.Fragment(path, content, iv, 10, "0", "9"))).Next);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("")]
    [InlineData("[1]")]
    [InlineData("not json")]
    public async Task A_body_that_is_no_list_of_fragments_is_refused(string body)
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        var answer = await emulator.SendAsync(
            HttpMethod.Post,
            $"{Emulator.Data}/channels/CH/filebuffer?continuationToken=0_1",
            Emulator.Text(body, "application/json")
        );

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }
}
