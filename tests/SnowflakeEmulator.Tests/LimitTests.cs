using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>What a body may be and how much may come.</summary>
public class LimitTests
{
    static byte[] Gzip(byte[] plain)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest))
            gzip.Write(plain);
        return buffer.ToArray();
    }

    static ByteArrayContent Encoded(byte[] body, string encoding)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new("application/x-ndjson");
        content.Headers.ContentEncoding.Add(encoding);
        content.Headers.Add("x-snowflake-uncompressed-content-length", "12");
        return content;
    }

    static Task<Answer> AppendAsync(Emulator emulator, HttpContent content, string token = "0_1") =>
        emulator.SendAsync(HttpMethod.Post, $"{Emulator.Data}/channels/CH/rows?continuationToken={token}&offsetToken=1", content);

    [Fact]
    public async Task Gzip_bodies_are_read()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        var answer = await AppendAsync(
            emulator,
            Encoded(Gzip(Encoding.UTF8.GetBytes(Emulator.Row("a") + "bad\n" + Emulator.Row("b"))), "gzip")
        );

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("ab", await emulator.UuidsAsync());
        Assert.Single(await emulator.ErrorsAsync());
    }

    [Fact]
    public async Task Gzip_bodies_of_several_members_are_read()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        await AppendAsync(
            emulator,
            Encoded(
                [
                    .. Gzip(Encoding.UTF8.GetBytes(Emulator.Row("a") + Emulator.Row("b"))),
                    .. Gzip(Encoding.UTF8.GetBytes(Emulator.Row("c"))),
                ],
                "gzip"
            )
        );

        Assert.Equal("abc", await emulator.UuidsAsync());
    }

    [Fact]
    public async Task A_body_larger_than_any_buffer_comes_through_whole()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        var rows = string.Concat(
            Enumerable.Range(0, 20_000).Select(i => Emulator.Row($"{i:D8}", ",\"filler\":\"" + new string('x', i % 700) + "\""))
        );

        await AppendAsync(emulator, Encoded(Gzip(Encoding.UTF8.GetBytes(rows)), "gzip"));

        Assert.Equal(rows, (await emulator.GetAsync("/emulator/tables/THERMAL_SENSOR_DATA/rows?raw=1")).Body);
        Assert.Equal("00019999", await emulator.UuidsAsync("?after=19999"));
    }

    // Made with zstd 1.5 from rows, zeros and noise: every level class, all block types, several frames, with and without
    // checksum and content size. The digest is that of the plain text.
    public static TheoryData<string> ZstdFiles =>
        [.. Directory.GetFiles(Emulator.Find("tests/SnowflakeEmulator.Tests/zstd"), "*.zst").Select(f => Path.GetFileName(f)!)];

    [Theory]
    [MemberData(nameof(ZstdFiles))]
    public void Zstd_frames_of_the_reference_encoder_are_decoded(string file)
    {
        var path = Emulator.Find("tests/SnowflakeEmulator.Tests/zstd/" + file);
        var expected = File.ReadLines(Emulator.Find("tests/SnowflakeEmulator.Tests/zstd/SHA256SUMS"))
            .Single(l => l.EndsWith(" " + file, StringComparison.Ordinal))
            .Split(' ')[0];
        using var plain = new MemoryStream();

        using (var zstd = RowBody.Decompress(File.ReadAllBytes(path), RowEncoding.Zstd))
            zstd.CopyTo(plain);

        Assert.Equal(expected, Convert.ToHexStringLower(SHA256.HashData(plain.ToArray())));
    }

    [Fact]
    public void Damaged_zstd_frames_never_do_anything_but_fail()
    {
        var (random, seed) = Testing.Seed.Next();
        var failed = 0;
        foreach (var file in Directory.GetFiles(Emulator.Find("tests/SnowflakeEmulator.Tests/zstd"), "rows-*.zst"))
        {
            var good = File.ReadAllBytes(file);
            for (var i = 0; i < 200; i++)
            {
                var bad = good[..random.Next(good.Length / 2, good.Length + 1)];
                bad[random.Next(bad.Length)] ^= (byte)random.Next(1, 256);
                try
                {
                    RowBody.ForEachLine(bad, RowEncoding.Zstd, (_, _) => true);
                }
                catch (InvalidDataException)
                {
                    failed++;
                }
                catch (Exception e)
                {
                    Assert.Fail($"seed {seed}, {Path.GetFileName(file)}, round {i}: {e}");
                }
            }
        }
        Assert.True(failed > 0, $"seed {seed}");
    }

    [Theory]
    [InlineData(0xFF)] // RFC 8878, 3.1.1.1.2: a window of 2^41 + 7/8 × 2^41 bytes.
    [InlineData(0x81)] // One eighth above 64 MiB.
    public void A_zstd_frame_that_asks_for_a_window_above_64_MiB_is_refused(byte window)
    {
        byte[] frame = [0x28, 0xB5, 0x2F, 0xFD, 0x00, window, 0x01, 0x00, 0x00];

        var e = Assert.Throws<InvalidDataException>(() => RowBody.ForEachLine(frame, RowEncoding.Zstd, (_, _) => true));

        Assert.Contains("too much memory", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_zstd_frame_that_is_cut_at_any_byte_is_refused()
    {
        var whole = File.ReadAllBytes(Emulator.Find("tests/SnowflakeEmulator.Tests/zstd/tiny.zst"));
        for (var length = 1; length < whole.Length; length++)
            Assert.Throws<InvalidDataException>(() => RowBody.ForEachLine(whole.AsMemory(0, length), RowEncoding.Zstd, (_, _) => true));
    }

    [Fact]
    public async Task Zstd_bodies_are_read_and_kept()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        var answer = await AppendAsync(
            emulator,
            Encoded(await File.ReadAllBytesAsync(Emulator.Find("tests/SnowflakeEmulator.Tests/zstd/rows-3.zst")), "zstd")
        );
        await emulator.RestartAsync();

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(2000, (await emulator.RowsAsync()).Length);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    public async Task A_body_that_is_not_what_its_encoding_says_is_refused_and_nothing_moves(string encoding)
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        var whole =
            encoding == "gzip"
                ? Gzip(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 1000).Select(i => Emulator.Row($"{i}")))))
                : await File.ReadAllBytesAsync(Emulator.Find("tests/SnowflakeEmulator.Tests/zstd/rows-3.zst"));

        foreach (var body in new[] { Encoding.UTF8.GetBytes(Emulator.Row("plain")), whole[..(whole.Length / 2)], whole[..^1] })
        {
            var answer = await AppendAsync(emulator, Encoded(body, encoding));

            Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        }
        Assert.Empty(await emulator.RowsAsync());
        Assert.Equal("0_2", (await emulator.AppendAsync("0_1", "1", Emulator.Row("a"))).Next);
    }

    [Fact]
    public async Task Another_encoding_is_refused_with_415()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await AppendAsync(emulator, Encoded([1, 2, 3], "br"))).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_limit_is_4_MiB_on_the_wire_however_large_it_is_uncompressed(bool chunked)
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        var row = Encoding.UTF8.GetBytes(Emulator.Row("a"));
        var most = new byte[4 * 1024 * 1024];
        Array.Fill(most, (byte)' ');
        row.CopyTo(most, 0);
        HttpContent Content(byte[] body) => chunked ? new StreamContent(new Unsized(body)) : new ByteArrayContent(body);

        var over = await AppendAsync(emulator, Content([.. most, (byte)' ']));
        var exact = await AppendAsync(emulator, Content(most));
        var compressed = await AppendAsync(emulator, Encoded(Gzip([.. most, .. most]), "gzip"), "0_2");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, over.Status);
        Assert.NotNull(over.Code);
        Assert.Equal(HttpStatusCode.OK, exact.Status);
        Assert.Equal(HttpStatusCode.OK, compressed.Status);
    }

    /// <summary>A stream whose length is not known, so that it goes out in chunks.</summary>
    sealed class Unsized(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;
    }

    [Fact]
    public async Task More_than_10_requests_in_a_second_of_one_channel_are_429()
    {
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(clock: clock);
        await emulator.OpenAsync();
        await emulator.OpenAsync("OTHER");
        for (var i = 1; i <= 10; i++)
            Assert.Equal(HttpStatusCode.OK, (await emulator.AppendAsync($"0_{i}", $"{i}", Emulator.Row("a"))).Status);

        var throttled = await emulator.AppendAsync("0_11", "11", Emulator.Row("b"));
        var other = await emulator.AppendAsync("0_1", "1", Emulator.Row("c"), "OTHER");
        clock.Advance(TimeSpan.FromSeconds(0.1));
        var later = await emulator.AppendAsync("0_11", "11", Emulator.Row("d"));

        Assert.Equal(HttpStatusCode.TooManyRequests, throttled.Status);
        Assert.Equal(HttpStatusCode.OK, other.Status);
        Assert.Equal("0_12", later.Next);
        Assert.Equal("aaaaaaaaaacd", await emulator.UuidsAsync());
    }

    [Fact]
    public async Task More_than_20_MB_uncompressed_in_a_second_of_one_channel_are_429()
    {
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(clock: clock);
        await emulator.OpenAsync();
        var body = Gzip([.. Encoding.UTF8.GetBytes(Emulator.Row("a")), .. new byte[12_000_000].Select(_ => (byte)' ')]);

        Assert.Equal(HttpStatusCode.OK, (await AppendAsync(emulator, Encoded(body, "gzip"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await AppendAsync(emulator, Encoded(body, "gzip"), "0_2")).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await AppendAsync(emulator, Encoded(body, "gzip"), "0_3")).Status);
        clock.Advance(TimeSpan.FromSeconds(0.25));
        Assert.Equal("0_4", (await AppendAsync(emulator, Encoded(body, "gzip"), "0_3")).Next);
    }

    [Fact]
    public async Task The_rates_can_be_switched_off()
    {
        await using var emulator = await Emulator.StartAsync(s => s.Limits = false, Emulator.NewClock());
        await emulator.OpenAsync();

        for (var i = 1; i <= 30; i++)
            Assert.Equal(HttpStatusCode.OK, (await emulator.AppendAsync($"0_{i}", $"{i}", Emulator.Row("a"))).Status);
    }

    [Fact]
    public async Task A_pipe_has_2000_channels_at_most()
    {
        await using var emulator = await Emulator.StartAsync();
        for (var i = 0; i < 2000; i++)
            Assert.Equal(HttpStatusCode.OK, (await emulator.OpenAsync($"C{i}")).Status);

        var tooMany = await emulator.OpenAsync("ONE_MORE");
        var reopened = await emulator.OpenAsync("C7");
        await emulator.DropAsync("C8");
        var afterDrop = await emulator.OpenAsync("ONE_MORE");

        Assert.Equal(HttpStatusCode.BadRequest, tooMany.Status);
        Assert.Equal("1_1", reopened.Next);
        Assert.Equal("0_1", afterDrop.Next);
    }

    [Fact]
    public async Task Channels_that_have_run_out_are_not_among_the_2000()
    {
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(clock: clock);
        for (var i = 0; i < 2000; i++)
            await emulator.OpenAsync($"C{i}");
        Assert.Equal(HttpStatusCode.BadRequest, (await emulator.OpenAsync("ONE_MORE")).Status);

        clock.Advance(TimeSpan.FromDays(30));

        Assert.Equal(HttpStatusCode.OK, (await emulator.OpenAsync("ONE_MORE")).Status);
        Assert.Single((await emulator.GetAsync("/emulator/tables")).Json[0]!["channels"]!.AsArray());
    }
}
