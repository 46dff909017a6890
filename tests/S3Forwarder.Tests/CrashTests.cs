using System.Security.Cryptography;
using System.Text;
using Amazon.S3;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>A process that ends at some point of a delivery, and the next one on the same data directory.</summary>
public sealed class CrashTests(ITestOutputHelper output) : IAsyncLifetime
{
    readonly Spool spool = new();
    readonly List<IAmazonS3> clients = [];
    FakeS3 s3 = null!;

    public async ValueTask InitializeAsync() => s3 = await FakeS3.StartAsync();

    public async ValueTask DisposeAsync()
    {
        clients.ForEach(client => client.Dispose());
        await s3.DisposeAsync();
        spool.Dispose();
    }

    public static TheoryData<int, bool> EveryUpload()
    {
        var data = new TheoryData<int, bool>();
        for (var upload = 1; upload <= 5; upload++)
        {
            data.Add(upload, false);
            data.Add(upload, true);
        }
        return data;
    }

    /// <summary>
    /// 4 objects of data and 1 of quarantine: the process ends when the server has the n-th upload, before or after it applied it.
    /// </summary>
    [Theory]
    [MemberData(nameof(EveryUpload))]
    public async Task Ending_at_any_upload_leaves_every_reading_once(int upload, bool applied)
    {
        spool.AddInverters(41, change: (i, reading) => reading.PacW = i % 10 == 9 ? 1 : 3000);
        var uploads = 0;
        using var crash = new CancellationTokenSource();
        s3.Script = call =>
        {
            if (call.Method != "PUT" || Interlocked.Increment(ref uploads) != upload)
                return null;
            return applied
                ? new S3Fault { After = crash.CancelAsync, AbortAfter = true }
                : new S3Fault { Before = crash.CancelAsync, Answer = (503, "SlowDown", "") };
        };
        await Assert.ThrowsAnyAsync<Exception>(() => spool.DeliverAsync(NewSink(), cancellationToken: crash.Token));
        s3.Script = _ => null;
        var before = s3.In();

        await spool.DeliverAsync(NewSink());

        AssertEveryReadingOnce(41);
        Assert.Equal(5, s3.In().Count);
        Assert.All(before, entry => Assert.Same(entry.Value, s3.Objects[("readings", entry.Key)]));
    }

    [Fact]
    public async Task Ending_while_the_plan_is_written_leaves_nothing_of_it()
    {
        spool.AddInverters(8);
        // What a process leaves that dies before the rename.
        await File.WriteAllTextAsync(spool.PlanPath + ".tmp", """{"version":1,"id":"torn""");

        await spool.DeliverAsync(NewSink());

        AssertEveryReadingOnce(8);
    }

    [Fact]
    public async Task Ending_between_the_plan_and_the_first_upload_sends_that_plan_although_more_has_arrived()
    {
        spool.AddInverters(8);
        using var crash = new CancellationTokenSource();
        s3.Script = call => call.Method == "PUT" ? new S3Fault { Before = crash.CancelAsync, Answer = (503, "SlowDown", "") } : null;
        await Assert.ThrowsAnyAsync<Exception>(() => spool.DeliverAsync(NewSink(), cancellationToken: crash.Token));
        s3.Script = _ => null;
        Assert.Empty(s3.In());
        var planned = BatchPlan.Load(spool.DirectoryPath)!;
        spool.AddInverters(5);

        await spool.DeliverAsync(NewSink());

        Assert.Equal((0, 8), (planned.First, planned.End));
        Assert.All(
            planned.Groups.SelectMany(group => group.Parts.Select(part => planned.Key(group, part))),
            key => Assert.True(s3.Objects.ContainsKey(("readings", key)))
        );
        Assert.Equal(8, s3.In().Count);
        AssertEveryReadingOnce(13);
    }

    [Fact]
    public async Task Ending_after_the_last_upload_but_before_the_cursor_is_on_disk_uploads_nothing_again()
    {
        spool.AddInverters(40);
        await spool.DeliverAsync(NewSink(), loseCursor: true);
        var before = s3.In();
        Assert.Equal(0, spool.Cursor);

        await spool.DeliverAsync(NewSink());

        Assert.Equal(before, s3.In());
        Assert.Equal(40, spool.Cursor);
        AssertEveryReadingOnce(40);
    }

    [Fact]
    public async Task A_cursor_from_before_several_batches_is_put_right_by_the_last_plan()
    {
        spool.BatchReadings = 10;
        spool.AddInverters(40);
        await spool.DeliverAsync(NewSink());
        spool.Cursor = 5;
        spool.AddInverters(3);

        await spool.DeliverAsync(NewSink());

        Assert.Equal(43, spool.Cursor);
        AssertEveryReadingOnce(43);
    }

    [Fact]
    public async Task A_cursor_at_the_end_of_the_plan_ends_it()
    {
        spool.AddInverters(4);
        await spool.DeliverAsync(NewSink());
        var requests = s3.Calls.Count;

        var position = await NewSink().OpenAsync(spool.Start(), default);

        Assert.Equal(new SinkPosition(4), position);
        Assert.Equal(requests + 1, s3.Calls.Count);
    }

    [Fact]
    public async Task A_plan_is_finished_by_the_settings_it_was_made_with()
    {
        spool.AddInverters(41, change: (i, reading) => reading.PacW = i == 7 ? 1 : 3000);
        await CrashAtUploadAsync(2);
        spool.AddInverters(10);

        await spool.DeliverAsync(
            NewSink(
                options: Options(
                    files: 2,
                    format: ObjectFormat.Array,
                    compression: ObjectCompression.Gzip,
                    validation: InvalidReadings.Forward,
                    prefix: "elsewhere/"
                )
            )
        );

        Assert.Equal(
            4,
            s3.In()
                .Count(entry =>
                    entry.Key.StartsWith("inverter-data/", StringComparison.Ordinal)
                    && entry.Key.EndsWith("of4.json", StringComparison.Ordinal)
                )
        );
        Assert.Equal(1, s3.In().Count(entry => entry.Key.StartsWith("inverter-quarantine/", StringComparison.Ordinal)));
        Assert.Equal(
            2,
            s3.In()
                .Count(entry =>
                    entry.Key.StartsWith("elsewhere/", StringComparison.Ordinal)
                    && entry.Key.EndsWith("of2.json.gz", StringComparison.Ordinal)
                )
        );
        AssertEveryReadingOnce(51);
    }

    [Fact]
    public async Task A_plan_for_a_bucket_that_was_mistyped_goes_to_the_corrected_one()
    {
        spool.AddInverters(8);
        var mistyped = Options(bucket: "redaings");
        s3.Buckets.Add("redaings");
        var sink = NewSink(mistyped);
        await sink.OpenAsync(spool.Start(), default);
        s3.Buckets.Remove("redaings");
        await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(spool.Cut(0, 8), default));

        await spool.DeliverAsync(NewSink());

        AssertEveryReadingOnce(8);
        Assert.Contains(
            spool.LoggedWarnings,
            line => line.Contains("planned for redaings/inverter-data/ and go to readings/inverter-data/", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_plan_of_another_journal_means_nothing()
    {
        spool.AddInverters(8);
        await CrashAtUploadAsync(1);
        var other = BatchPlan.Load(spool.DirectoryPath)!;
        spool.Epoch = "00000000feedf00d";

        await spool.DeliverAsync(NewSink());

        Assert.Equal("00000000feedf00d", BatchPlan.Load(spool.DirectoryPath)!.Epoch);
        Assert.True(File.Exists(Path.Combine(spool.DirectoryPath, $"s3-plan.{other.Epoch}.json")));
        Assert.Contains(
            spool.LoggedWarnings,
            line =>
                line.Contains("the plan belongs to the journal 00000000deadbeef, this one is 00000000feedf00d", StringComparison.Ordinal)
        );
        Assert.Equal(8, spool.Cursor);
    }

    [Fact]
    public async Task A_plan_that_cannot_be_read_is_set_aside_and_reported()
    {
        spool.AddInverters(8);
        await File.WriteAllTextAsync(spool.PlanPath, "{}");

        await spool.DeliverAsync(NewSink());

        AssertEveryReadingOnce(8);
        Assert.Equal("{}", await File.ReadAllTextAsync(Path.Combine(spool.DirectoryPath, "s3-plan.unreadable.json")));
        Assert.Contains(spool.LoggedWarnings, line => line.Contains("may be uploaded twice", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_plan_of_a_later_release_stays_as_it_is_and_nothing_is_uploaded()
    {
        spool.AddInverters(8);
        await CrashAtUploadAsync(1);
        var uploaded = s3.Objects.Count;
        var text = (await File.ReadAllTextAsync(spool.PlanPath))
            .Split('\n')[0]
            .Replace("\"version\":1", "\"version\":3", StringComparison.Ordinal);
        var later = $"{text}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}\n";
        await File.WriteAllTextAsync(spool.PlanPath, later);

        var refused = await Assert.ThrowsAsync<SinkException>(() => spool.DeliverAsync(NewSink()));

        Assert.Equal(SinkFailure.NeedsOperator, refused.Failure);
        Assert.Contains("format version 3; this program knows 2. A later release wrote it", refused.Message, StringComparison.Ordinal);
        Assert.Equal(later, await File.ReadAllTextAsync(spool.PlanPath));
        Assert.Equal(uploaded, s3.Objects.Count);
    }

    /// <summary>The disk took back what it had confirmed; the journal gives the same offsets out again.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task What_comes_under_offsets_that_the_journal_lost_is_not_taken_for_what_was_planned(int upload)
    {
        spool.AddInverters(10);
        spool.AddInverters(10);
        await CrashAtUploadAsync(upload);
        spool.Truncate(10);
        await NewSink().OpenAsync(spool.Start(), default);
        spool.AddInverters(10);

        await spool.DeliverAsync(NewSink());

        var stored = s3.Sequences();
        Assert.Equal(
            S3SinkTests.Numbers(1, 10).Concat(S3SinkTests.Numbers(21, 30)),
            stored.Where(sequence => sequence is <= 10 or > 20).Order()
        );
        Assert.Equal(stored.Distinct().Count(), stored.Count);
        Assert.Contains(spool.LoggedWarnings, line => line.Contains("the journal ends at 10", StringComparison.Ordinal));
    }

    /// <summary>New readings have got the lost offsets, and more, before the plan of the earlier process was looked at.</summary>
    [Theory]
    [InlineData(10, false)]
    [InlineData(10, true)]
    [InlineData(5, false)]
    public async Task What_was_taken_in_before_the_first_upload_is_not_taken_for_what_was_planned(int left, bool isBucketAway)
    {
        spool.AddInverters(5);
        await spool.DeliverAsync(NewSink());
        spool.AddInverters(5);
        spool.AddInverters(10);
        await CrashAtUploadAsync(4);
        spool.Truncate(left);
        spool.InitialEnd = left;
        spool.AddInverters(20);
        var sink = NewSink();
        if (isBucketAway)
        {
            s3.Script = _ => new S3Fault { Answer = (503, "SlowDown", "") };
            await Assert.ThrowsAsync<SinkException>(() => sink.OpenAsync(spool.Start(), default));
            s3.Script = _ => null;
        }

        await spool.DeliverAsync(sink);

        var stored = s3.Sequences();
        Assert.Equal(S3SinkTests.Numbers(21, 40), stored.Where(sequence => sequence > 20).Order());
        Assert.Equal(stored.Distinct().Count(), stored.Count);
    }

    [Fact]
    public async Task A_journal_that_lost_all_that_was_planned_goes_on()
    {
        spool.AddInverters(10);
        await spool.DeliverAsync(NewSink());
        spool.AddInverters(10);
        await CrashAtUploadAsync(2);
        spool.Truncate(10);

        var position = await NewSink().OpenAsync(spool.Start(), default);
        spool.AddInverters(5);
        await spool.DeliverAsync(NewSink());

        Assert.Equal(new SinkPosition(10), position);
        Assert.Equal(S3SinkTests.Numbers(21, 25), s3.Sequences().Order().TakeLast(5));
    }

    /// <summary>Damage leaves a gap in the offsets: before the plan, after it, and one that closes again.</summary>
    [Theory]
    [InlineData(10, 20)]
    [InlineData(0, 10)]
    [InlineData(20, 30)]
    public async Task A_gap_in_the_offsets_leaves_the_rest_delivered_once(int from, int to)
    {
        for (var message = 0; message < 3; message++)
            spool.AddInverters(10);
        spool.Lose(from, to);
        await CrashAtUploadAsync(3);
        spool.AddInverters(5);

        await spool.DeliverAsync(NewSink());

        Assert.Equal(35, spool.Cursor);
        Assert.Equal(S3SinkTests.Numbers(1, 35).Where(sequence => (int)sequence <= from || (int)sequence > to), s3.Sequences().Order());
    }

    [Theory]
    [InlineData(10, 20)]
    [InlineData(0, 10)]
    [InlineData(20, 30)]
    public async Task A_gap_that_comes_after_the_plan_costs_what_it_covers(int from, int to)
    {
        for (var message = 0; message < 3; message++)
            spool.AddInverters(10);
        await CrashAtUploadAsync(3);
        spool.Lose(from, to);
        spool.AddInverters(5);

        await spool.DeliverAsync(NewSink());

        Assert.Equal(35, spool.Cursor);
        var stored = s3.Sequences();
        Assert.Equal(stored.Distinct().Count(), stored.Count);
        Assert.Empty(S3SinkTests.Numbers(1, 35).Where(sequence => (int)sequence <= from || (int)sequence > to).Except(stored));
    }

    [Fact]
    public async Task Readings_that_the_plan_did_not_know_are_not_left_out()
    {
        for (var message = 0; message < 3; message++)
            spool.AddInverters(10);
        var lost = spool.Lose(10, 20);
        await CrashAtUploadAsync(2);
        spool.Restore(lost);

        await spool.DeliverAsync(NewSink());

        Assert.Equal(30, spool.Cursor);
        Assert.Equal(S3SinkTests.Numbers(1, 30), s3.Sequences().Distinct().Order());
        Assert.Contains(
            spool.LoggedWarnings,
            line => line.Contains("were planned with 20 readings and have 30 now", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_plan_of_which_the_journal_has_nothing_left_ends()
    {
        spool.AddInverters(10);
        await CrashAtUploadAsync(2);
        spool.AddInverters(10);
        spool.FirstStored = 15;

        await spool.DeliverAsync(NewSink());

        Assert.Equal(20, spool.Cursor);
        Assert.Equal(S3SinkTests.Numbers(16, 20), s3.Sequences().Order().TakeLast(5));
        Assert.Contains(spool.LoggedWarnings, line => line.Contains("the journal begins at 15", StringComparison.Ordinal));
    }

    /// <summary>
    /// Ends at random moments, answers get lost, the server refuses, cursors are forgotten, settings change: in the end every reading is
    /// there once.
    /// </summary>
    [Fact]
    public async Task Whatever_happens_every_reading_ends_up_in_one_object()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        const int starts = 150;
        var crashes = 0;
        var total = 0;
        for (var start = 0; start < starts; start++)
        {
            for (var messages = random.Next(1, 6); messages > 0; messages--)
            {
                var count = random.Next(1, 40);
                var day = Spool.Noon.AddDays(-random.Next(0, 3));
                spool.AddInverters(count, day, (_, reading) => reading.PacW = random.Next(5) == 0 ? 1 : 3000);
                total += count;
            }
            spool.BatchReadings = random.Next(1, 120);
            using var crash = new CancellationTokenSource();
            var crashAt = random.Next(1, 60);
            var faults = new Random(random.Next());
            var requests = 0;
            s3.Script = call =>
            {
                lock (faults)
                {
                    if (++requests == crashAt)
                        return faults.Next(2) == 0
                            ? new S3Fault { Before = crash.CancelAsync, Answer = (503, "SlowDown", "") }
                            : new S3Fault { After = crash.CancelAsync };
                    return faults.Next(12) switch
                    {
                        0 => new S3Fault { Answer = (503, "SlowDown", "") },
                        1 => new S3Fault { AbortBefore = true },
                        2 => new S3Fault { AbortAfter = true },
                        3 => new S3Fault { Answer = (409, "ConditionalRequestConflict", "") },
                        _ => null,
                    };
                }
            };
            var options = Options(
                files: random.Next(1, 6),
                format: (ObjectFormat)random.Next(2),
                compression: (ObjectCompression)random.Next(3)
            );
            try
            {
                await spool.DeliverAsync(
                    NewSink(options, retries: 0),
                    loseCursor: random.Next(3) == 0,
                    again: () => random.Next(5) > 0,
                    crash.Token
                );
            }
            catch (Exception e) when (e is OperationCanceledException or SinkException { Failure: SinkFailure.Transient })
            {
                crashes++;
            }
        }
        s3.Script = _ => null;

        await spool.DeliverAsync(NewSink());

        output.WriteLine($"{total} readings, {s3.In().Count} objects, {crashes} of {starts} starts ended early");
        Assert.True(crashes > starts / 4);
        AssertEveryReadingOnce(total);
    }

    void AssertEveryReadingOnce(int total)
    {
        var stored = s3.Sequences().Concat(s3.Sequences("inverter-quarantine/")).Concat(s3.Sequences("elsewhere/")).Order().ToList();
        Assert.Equal(S3SinkTests.Numbers(1, total), stored);
        Assert.All(s3.In(), entry => Assert.Equal(1, entry.Value.Writes));
    }

    async Task CrashAtUploadAsync(int upload)
    {
        var uploads = 0;
        using var crash = new CancellationTokenSource();
        s3.Script = call =>
            call.Method == "PUT" && Interlocked.Increment(ref uploads) >= upload
                ? new S3Fault { Before = crash.CancelAsync, Answer = (503, "SlowDown", "") }
                : null;
        await Assert.ThrowsAnyAsync<Exception>(() => spool.DeliverAsync(NewSink(), cancellationToken: crash.Token));
        s3.Script = _ => null;
    }

    S3Sink NewSink(S3Options? options = null, int retries = 1)
    {
        options ??= Options();
        clients.Add(S3Client.Create(options, retries));
        return spool.NewSink(options, clients[^1]);
    }

    S3Options Options(
        int files = 4,
        ObjectFormat format = ObjectFormat.NdJson,
        ObjectCompression compression = ObjectCompression.None,
        InvalidReadings validation = InvalidReadings.Quarantine,
        string prefix = "inverter-data/",
        string bucket = "readings"
    ) =>
        new()
        {
            Region = "us-east-1",
            Bucket = bucket,
            Prefix = prefix,
            QuarantinePrefix = "inverter-quarantine/",
            Credentials = new AwsCredentials(FakeS3.AccessKeyId, "secret"),
            Endpoint = s3.Address,
            Files = files,
            Format = format,
            Compression = compression,
            Validation = validation,
        };
}
