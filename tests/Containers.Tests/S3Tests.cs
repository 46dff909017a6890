using System.Text.Json;
using Amazon.S3.Model;
using Amazon.SQS.Model;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.S3Forwarder;
using ThermalStreaming.S3Forwarder.Tests;

namespace ThermalStreaming.Containers.Tests;

/// <summary>The sink against a server that speaks S3 and was not written for these tests.</summary>
public sealed class S3Tests(LocalStackFixture store) : IClassFixture<LocalStackFixture>, IAsyncLifetime
{
    readonly Spool spool = new();

    public async ValueTask InitializeAsync()
    {
        Engine.SkipWithoutSocket();
        await store.ReadyAsync();
    }

    public ValueTask DisposeAsync()
    {
        spool.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(UploadChecksum.Crc32C)]
    [InlineData(UploadChecksum.Sha256)]
    [InlineData(UploadChecksum.Md5)]
    [InlineData(UploadChecksum.None)]
    internal async Task Every_reading_is_in_the_bucket_once_whatever_the_checksum(UploadChecksum checksum)
    {
        spool.AddInverters(300);

        await DeliverAsync(options => options with { Checksum = checksum });

        var objects = await store.ObjectsAsync();
        Assert.Equal(4, objects.Count);
        Assert.Equal(Numbers(1, 300), Sequences(objects));
        Assert.Equal(300, spool.Cursor);
    }

    [Theory]
    [InlineData(ObjectFormat.NdJson, ObjectCompression.None)]
    [InlineData(ObjectFormat.NdJson, ObjectCompression.Gzip)]
    [InlineData(ObjectFormat.Array, ObjectCompression.Gzip)]
    [InlineData(ObjectFormat.NdJson, ObjectCompression.Zstd)]
    internal async Task What_is_fetched_again_is_what_was_put(ObjectFormat format, ObjectCompression compression)
    {
        spool.AddInverters(500);

        await DeliverAsync(options => options with { Format = format, Compression = compression });

        Assert.Equal(Numbers(1, 500), Sequences(await store.ObjectsAsync(LocalStackFixture.Prefix)));
    }

    [Fact]
    public async Task An_object_carries_its_plan_its_tags_and_its_type()
    {
        spool.AddInverters(10);

        await DeliverAsync(options =>
            options with
            {
                Files = 1,
                Attributes = options.Attributes with { Tags = [new KeyValuePair<string, string>("project", "thermal")] },
            }
        );

        var (key, bytes) = Assert.Single(await store.ObjectsAsync());
        var head = await store.S3.GetObjectMetadataAsync(LocalStackFixture.Bucket, key);
        var tags = await store.S3.GetObjectTaggingAsync(new GetObjectTaggingRequest { BucketName = LocalStackFixture.Bucket, Key = key });
        Assert.Equal("application/x-ndjson", head.Headers.ContentType);
        Assert.Equal(("10", $"{bytes.Length}"), (head.Metadata["rows"], head.Metadata["bytes"]));
        Assert.Equal([("project", "thermal")], tags.Tagging.Select(tag => (tag.Key, tag.Value)));
    }

    [Fact]
    public async Task A_batch_that_was_uploaded_before_a_crash_is_found_and_not_written_again()
    {
        spool.AddInverters(40);
        // The cursor is not saved: the process dies between the upload and that.
        await spool.DeliverAsync(NewSink(store.Options()), loseCursor: true);
        var before = await store.ObjectsAsync();
        foreach (var _ in before)
            await NotificationAsync();

        await DeliverAsync();

        Assert.Equal(before.Select(entry => entry.Key), (await store.ObjectsAsync()).Select(entry => entry.Key));
        Assert.Equal(Numbers(1, 40), Sequences(before));
        // Whatever is written is announced.
        Assert.Null(await NotificationAsync(wait: TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public async Task Something_else_under_the_key_is_reported_and_never_overwritten()
    {
        spool.AddInverters(1);
        var plan = NewSink(store.Options(options => options with { Files = 1 }));
        await plan.OpenAsync(spool.Start(), default);
        await plan.SendAsync(spool.Cut(0, 1), default);
        var key = Assert.Single(await store.ObjectsAsync()).Key;
        await store.S3.PutObjectAsync(
            new PutObjectRequest
            {
                BucketName = LocalStackFixture.Bucket,
                Key = key,
                ContentBody = "other",
                // On plain http the stand-in stores the framing of chunks as if it were content.
                UseChunkEncoding = false,
            }
        );
        var sink = NewSink(store.Options(options => options with { Files = 1 }));
        await sink.OpenAsync(spool.Start(), default);

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(spool.Cut(0, 1), default));

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("an object with other content is there", failure.Message, StringComparison.Ordinal);
        Assert.Equal("other"u8.ToArray(), Assert.Single(await store.ObjectsAsync()).Bytes);
    }

    [Fact]
    public async Task What_breaks_a_rule_is_quarantined_with_its_reasons()
    {
        spool.AddInverters(
            3,
            change: (i, reading) =>
            {
                if (i == 1)
                    reading.ClearTemperatureC();
            }
        );

        await DeliverAsync();

        Assert.Equal([1UL, 3UL], Sequences(await store.ObjectsAsync(LocalStackFixture.Prefix)));
        var (key, bytes) = Assert.Single(await store.ObjectsAsync(LocalStackFixture.QuarantinePrefix));
        var row = Assert.Single(Spool.Rows(key, bytes));
        Assert.Equal("""[{"rule":"temperature","problem":"missing"}]""", row.GetProperty("reasons").GetRawText());
    }

    [Fact]
    public async Task The_queue_is_told_of_each_object_under_the_prefix_and_of_no_other()
    {
        spool.AddInverters(
            8,
            change: (i, reading) =>
            {
                if (i == 0)
                    reading.ClearTemperatureC();
            }
        );

        await DeliverAsync();

        var uploaded = (await store.ObjectsAsync(LocalStackFixture.Prefix)).Select(entry => entry.Key).ToList();
        Assert.Single(await store.ObjectsAsync(LocalStackFixture.QuarantinePrefix));
        var announced = new List<string>();
        foreach (var _ in uploaded)
            announced.Add(await NotificationAsync() ?? throw new TimeoutException($"Announced were only {string.Join(", ", announced)}."));
        Assert.Null(await NotificationAsync(wait: TimeSpan.FromSeconds(2)));
        Assert.Equal(uploaded.Order(StringComparer.Ordinal), announced.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_is_named_with_the_command_that_makes_it()
    {
        var sink = NewSink(store.Options(options => options with { Bucket = "no-such-bucket" }));

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.OpenAsync(spool.Start(), default));

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("404 NoSuchBucket", failure.Message, StringComparison.Ordinal);
        Assert.Contains("aws s3 mb s3://no-such-bucket", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_finds_all_well_and_leaves_nothing_behind()
    {
        var options = store.Options();
        using var client = S3Client.Create(options);

        foreach (var step in S3Checks.Steps(options, client, TimeProvider.System))
        {
            var result = await step.Run(CancellationToken.None);
            Assert.True(result.Outcome == CheckOutcome.Ok, $"{step.Name}: {result.Detail}; {result.Cause} {result.Fix}");
        }

        Assert.Empty(await store.ObjectsAsync());
    }

    S3Sink NewSink(S3Options options) => spool.NewSink(options, S3Client.Create(options));

    Task DeliverAsync(Func<S3Options, S3Options>? change = null) => spool.DeliverAsync(NewSink(store.Options(change)));

    /// <summary>The key in the next notification, which is taken off the queue; null when none comes in time.</summary>
    async Task<string?> NotificationAsync(TimeSpan? wait = null)
    {
        var request = new ReceiveMessageRequest
        {
            QueueUrl = store.QueueUrl,
            MaxNumberOfMessages = 1,
            WaitTimeSeconds = (int)(wait ?? TimeSpan.FromSeconds(20)).TotalSeconds,
        };
        while ((await store.Sqs.ReceiveMessageAsync(request)).Messages is [var message, ..])
        {
            await store.Sqs.DeleteMessageAsync(store.QueueUrl, message.ReceiptHandle);
            using var body = JsonDocument.Parse(message.Body);
            // S3 says once, in a message without records, that it may send to the queue.
            if (body.RootElement.TryGetProperty("Records", out var records))
                return Uri.UnescapeDataString(records[0].GetProperty("s3").GetProperty("object").GetProperty("key").GetString()!);
        }
        return null;
    }

    static List<ulong> Sequences(IEnumerable<(string Key, byte[] Bytes)> objects) =>
        [.. objects.SelectMany(entry => Spool.Rows(entry.Key, entry.Bytes)).Select(Spool.Sequence)];

    static IEnumerable<ulong> Numbers(int first, int last) => Enumerable.Range(first, last - first + 1).Select(number => (ulong)number);
}
