using System.Diagnostics;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>Objects are read by other programs than ours, and made again they are the same to the byte.</summary>
public sealed class FormatTests : SinkTest
{
    /// <summary>gzip, zstd and Python of the system read what was written; where one is not installed, the test is skipped.</summary>
    [Theory]
    [InlineData(ObjectFormat.NdJson, ObjectCompression.None, "cat")]
    [InlineData(ObjectFormat.Array, ObjectCompression.None, "cat")]
    [InlineData(ObjectFormat.NdJson, ObjectCompression.Gzip, "gzip -dc")]
    [InlineData(ObjectFormat.Array, ObjectCompression.Gzip, "gzip -dc")]
    [InlineData(ObjectFormat.NdJson, ObjectCompression.Zstd, "zstd -dc")]
    [InlineData(ObjectFormat.Array, ObjectCompression.Zstd, "zstd -dc")]
    internal async Task Other_programs_read_the_objects(ObjectFormat format, ObjectCompression compression, string decompress)
    {
        Assert.SkipUnless(Exists("python3") && Exists(decompress.Split(' ')[0]), $"python3 or {decompress} is not installed");
        Spool.AddInverters(3_000);
        Spool.BatchReadings = 3_000;
        await Spool.DeliverAsync(NewSink(Options(files: 3) with { Format = format, Compression = compression }));
        using var directory = new TempDirectory();
        for (var i = 0; i < 3; i++)
            await File.WriteAllBytesAsync(directory.File($"{i}"), S3.In()[i].Value.Bytes, TestContext.Current.CancellationToken);

        var read =
            format == ObjectFormat.Array
                ? "[r for f in sys.stdin.read().split('\\n]\\n') if f for r in json.loads(f + ']')]"
                : "[json.loads(l) for l in sys.stdin]";
        var answer = await RunAsync(
            $"cat {directory.Path}/0 {directory.Path}/1 {directory.Path}/2 | {decompress} | "
                + $"python3 -c \"import json, sys; rows = {read}; print(len(rows), sum(r['sequence'] for r in rows))\""
        );

        Assert.Equal($"3000 {3000 * 3001 / 2}", answer);
    }

    [Theory]
    [InlineData(ObjectFormat.NdJson, ObjectCompression.None)]
    [InlineData(ObjectFormat.NdJson, ObjectCompression.Gzip)]
    [InlineData(ObjectFormat.Array, ObjectCompression.Gzip)]
    [InlineData(ObjectFormat.NdJson, ObjectCompression.Zstd)]
    [InlineData(ObjectFormat.Array, ObjectCompression.Zstd)]
    internal async Task An_object_that_is_made_again_is_the_same_to_the_byte(ObjectFormat format, ObjectCompression compression)
    {
        Spool.AddInverters(500, change: (i, reading) => reading.PacW = i % 7 == 0 ? 1 : 3000 + i);
        var options = Options(files: 2) with { Format = format, Compression = compression };
        using var crash = new CancellationTokenSource();
        var first = new Dictionary<string, byte[]>();
        // Stored, and then the process dies; somebody deletes what was stored, so that it is made once more.
        var puts = 0;
        S3.Script = call =>
            call.Method == "PUT" && Interlocked.Increment(ref puts) == 3
                ? new S3Fault { After = crash.CancelAsync, AbortAfter = true }
                : null;
        await Assert.ThrowsAnyAsync<Exception>(() => Spool.DeliverAsync(NewSink(options, retries: 0), cancellationToken: crash.Token));
        S3.Script = _ => null;
        foreach (var (key, value) in S3.In())
            first[key] = value.Bytes;
        Assert.NotEmpty(first);
        S3.Objects.Clear();

        // The settings that decide about bytes are the plan's.
        await Spool.DeliverAsync(NewSink(Options(files: 1)));

        Assert.Equal(3, S3.In().Count);
        Assert.All(first, entry => Assert.Equal(entry.Value, S3.In().Single(made => made.Key == entry.Key).Value.Bytes));
    }

    [Fact]
    public void The_preset_for_large_files_sets_defaults_that_settings_go_before()
    {
        var (usual, _) = S3OptionsTests.Load(("S3_BUCKET", "b-1"), ("AWS_REGION", "eu-central-1"));
        var (large, none) = S3OptionsTests.Load(("S3_BUCKET", "b-1"), ("AWS_REGION", "eu-central-1"), ("PRESET", "large-files"));
        var (own, _) = S3OptionsTests.Load(
            ("S3_BUCKET", "b-1"),
            ("AWS_REGION", "eu-central-1"),
            ("PRESET", "large-files"),
            ("NUM_FILES", "2"),
            ("S3_BATCH_LINGER", "5m"),
            ("S3_COMPRESS", "zstd")
        );
        var (_, problems) = S3OptionsTests.Load(("S3_BUCKET", "b-1"), ("AWS_REGION", "eu-central-1"), ("PRESET", "huge"));

        Assert.Equal((4, 20_000, 8 << 20, ObjectCompression.None), Of(usual));
        Assert.Empty(none);
        Assert.Equal((1, 1_000_000, 100_000_000, ObjectCompression.Gzip), Of(large));
        Assert.Equal(TimeSpan.FromMinutes(1), large.Limits.Linger);
        Assert.Equal((2, 1_000_000, 100_000_000, ObjectCompression.Zstd), Of(own));
        Assert.Equal(TimeSpan.FromMinutes(5), own.Limits.Linger);
        Assert.Equal(["PRESET is 'huge'; it must be one of Fresh, LargeFiles."], problems);

        static (int, int, int, ObjectCompression) Of(S3Options options) =>
            (options.Files, options.Limits.MaxReadings, options.Limits.MaxBytes, options.Compression);
    }

    static bool Exists(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Combine(directory, program)));

    static async Task<string> RunAsync(string command)
    {
        using var process = Process.Start(
            new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", command }, RedirectStandardOutput = true }
        )!;
        var answer = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return answer.Trim();
    }
}
