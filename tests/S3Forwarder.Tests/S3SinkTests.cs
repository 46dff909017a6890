using System.Text.RegularExpressions;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder.Tests;

public sealed partial class S3SinkTests : IAsyncLifetime
{
    readonly Spool spool = new();
    FakeS3 s3 = null!;

    public async ValueTask InitializeAsync() => s3 = await FakeS3.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await s3.DisposeAsync();
        spool.Dispose();
    }

    [Fact]
    public async Task Uploads_the_readings_under_their_own_date_in_as_many_objects_as_configured()
    {
        spool.AddInverters(61);

        await DeliverAsync();

        var objects = s3.In();
        Assert.Equal(4, objects.Count);
        Assert.All(objects, entry => Assert.Matches(KeyPattern(), entry.Key));
        Assert.Equal([15, 15, 15, 16], objects.Select(entry => Spool.Rows(entry.Key, entry.Value.Bytes).Count).Order());
        Assert.Equal(Numbers(1, 61), Spool.Sequences(s3));
        Assert.Equal("inverter-data/2026-11-20/inverter-20261120T120001Z-00000000deadbeef-slot-0-00000000000000000000-1of4.json", objects[0].Key);
        Assert.All(objects, entry => Assert.Equal("application/x-ndjson", entry.Value.ContentType));
    }

    [Fact]
    public async Task Writes_the_rows_of_the_original()
    {
        spool.AddInverters(1);

        await DeliverAsync();

        var (key, value) = Assert.Single(s3.In());
        var row = Assert.Single(Spool.Rows(key, value.Bytes));
        Assert.Equal(
            ["id", "PAC", "energy_output", "energy_conversion_efficiency", "performance_ratio", "system_uptime", "temperature", "input_voltage", "output_voltage", "frequency", "fault_status", "device_id", "boot_id", "sequence", "observed_at"],
            row.EnumerateObject().Select(property => property.Name));
        Assert.Equal(230, row.GetProperty("output_voltage").GetDouble());
    }

    [Fact]
    public async Task A_batch_over_midnight_goes_to_both_dates()
    {
        var midnight = new DateTimeOffset(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);
        spool.AddInverters(10, change: (i, reading) => reading.ObservedAtUs = Instants.ToMicroseconds(midnight.AddSeconds(i - 5)));

        await DeliverAsync(files: 2);

        Assert.Equal([1, 2, 3, 4, 5], Spool.Sequences(s3, "inverter-data/2026-11-20/"));
        Assert.Equal([6, 7, 8, 9, 10], Spool.Sequences(s3, "inverter-data/2026-11-21/"));
        Assert.Equal(4, s3.In().Count);
    }

    [Fact]
    public async Task The_dates_follow_the_configured_zone()
    {
        spool.AddInverters(1, new DateTimeOffset(2026, 11, 20, 23, 30, 0, TimeSpan.Zero));

        await spool.DeliverAsync(NewSink(Options(zone: TimeZoneInfo.CreateCustomTimeZone("Berlin in winter", TimeSpan.FromHours(1), null, null))));

        Assert.StartsWith("inverter-data/2026-11-21/", Assert.Single(s3.In()).Key, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Both_kinds_of_a_batch_go_to_objects_of_their_own()
    {
        spool.AddInverters(3);
        spool.AddThermal(3);

        await DeliverAsync(files: 1);

        Assert.Collection(s3.In(),
            entry => Assert.Contains("/inverter-", entry.Key, StringComparison.Ordinal),
            entry => Assert.Contains("/thermal-", entry.Key, StringComparison.Ordinal));
        var thermal = Spool.Rows("", s3.In()[1].Value.Bytes);
        Assert.Equal([3, 4, 5], thermal.Select(row => row.GetProperty("stream_offset").GetInt64()));
    }

    [Fact]
    public async Task Quarantines_what_breaks_a_rule_with_the_reasons()
    {
        spool.AddInverters(5, change: (i, reading) =>
        {
            if (i == 1)
                reading.ClearTemperatureC();
            if (i == 3)
            {
                reading.PacW = 5001;
                reading.FrequencyHz = double.NaN;
            }
        });

        await DeliverAsync();

        Assert.Equal([1, 3, 5], Spool.Sequences(s3, "inverter-data/"));
        var (key, value) = Assert.Single(s3.In(), entry => entry.Key.StartsWith("inverter-quarantine/2026-11-20/", StringComparison.Ordinal));
        var rows = Spool.Rows(key, value.Bytes);
        Assert.Equal([2UL, 4UL], rows.Select(row => row.GetProperty("reading").GetProperty("sequence").GetUInt64()));
        Assert.Equal("""[{"rule":"temperature","problem":"missing"}]""", rows[0].GetProperty("reasons").GetRawText());
        Assert.Equal(["PAC", "frequency"], rows[1].GetProperty("reasons").EnumerateArray().Select(reason => reason.GetProperty("rule").GetString()));
    }

    [Theory]
    [InlineData(InvalidReadings.Drop, new ulong[] { 1, 3 })]
    [InlineData(InvalidReadings.Forward, new ulong[] { 1, 2, 3 })]
    internal async Task Drops_or_forwards_what_breaks_a_rule_when_told(InvalidReadings validation, ulong[] expected)
    {
        spool.AddInverters(3, change: (i, reading) => reading.PacW = i == 1 ? 1 : 3000);

        await spool.DeliverAsync(NewSink(Options(validation: validation)));

        Assert.Equal(expected, Spool.Sequences(s3));
        Assert.Empty(Spool.Sequences(s3, "inverter-quarantine/"));
        Assert.Equal(3, spool.Cursor);
    }

    [Fact]
    public async Task A_batch_of_which_nothing_is_left_is_committed_without_an_object()
    {
        spool.AddInverters(3, change: (_, reading) => reading.ClearPacW());

        await spool.DeliverAsync(NewSink(Options(validation: InvalidReadings.Drop)));

        Assert.Empty(s3.In());
        Assert.Equal(3, spool.Cursor);
    }

    [Theory]
    [InlineData(ObjectFormat.NdJson, ObjectCompression.Gzip, ".json.gz")]
    [InlineData(ObjectFormat.Array, ObjectCompression.None, ".json")]
    [InlineData(ObjectFormat.Array, ObjectCompression.Gzip, ".json.gz")]
    internal async Task Every_format_holds_every_row(ObjectFormat format, ObjectCompression compression, string extension)
    {
        spool.AddInverters(500);

        await spool.DeliverAsync(NewSink(Options(format: format, compression: compression)));

        Assert.Equal(Numbers(1, 500), Spool.Sequences(s3));
        Assert.All(s3.In(), entry => Assert.EndsWith(extension, entry.Key, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(UploadChecksum.Crc32C, "x-amz-checksum-crc32c", true)]
    [InlineData(UploadChecksum.Crc32C, "x-amz-checksum-crc32c", false)]
    [InlineData(UploadChecksum.Sha256, "x-amz-checksum-sha256", true)]
    [InlineData(UploadChecksum.Md5, "Content-MD5", false)]
    [InlineData(UploadChecksum.None, null, false)]
    internal async Task Each_upload_carries_the_checksum_that_the_store_verifies(UploadChecksum checksum, string? header, bool echoes)
    {
        spool.AddInverters(300);
        s3.EchoesChecksums = echoes;

        await spool.DeliverAsync(NewSink(Options() with { Checksum = checksum }));

        Assert.Equal(Numbers(1, 300), Spool.Sequences(s3));
        var puts = s3.Calls.Where(call => call.Method == "PUT").ToList();
        Assert.All(puts, call => Assert.Equal(header is null ? [] : [header],
            call.Headers.Keys.Where(name => name.StartsWith("x-amz-checksum", StringComparison.OrdinalIgnoreCase) || name == "Content-MD5"), StringComparer.OrdinalIgnoreCase));
        Assert.All(puts, call => Assert.DoesNotContain("aws-chunked", call.Headers.ContentEncoding.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Never_has_more_than_four_uploads_under_way()
    {
        spool.AddInverters(100);
        var four = new TaskCompletionSource();
        var waiting = 0;
        s3.Script = call => call.Method != "PUT" ? null : new S3Fault
        {
            Before = () =>
            {
                if (Interlocked.Increment(ref waiting) == 4)
                    four.TrySetResult();
                return four.Task;
            },
        };

        await DeliverAsync(files: 20);

        Assert.Equal(4, s3.MostUnderWay);
        Assert.Equal(Numbers(1, 100), Spool.Sequences(s3).Order());
    }

    [Fact]
    public async Task The_plan_is_on_disk_before_the_first_upload()
    {
        spool.AddInverters(8);
        var planned = new List<string>();
        s3.Script = call =>
        {
            if (call.Method == "PUT")
            {
                var plan = BatchPlan.Load(spool.DirectoryPath)!;
                lock (planned)
                    planned.AddRange(plan.Groups.SelectMany(group => group.Parts.Select(part => plan.Key(group, part))).Where(key => key == call.Key));
            }
            return null;
        };

        await DeliverAsync();

        Assert.Equal(s3.In().Select(entry => entry.Key), planned.Order());
    }

    [Fact]
    public async Task A_disk_that_refuses_the_plan_lets_nothing_be_uploaded()
    {
        spool.AddInverters(8);
        var sink = NewSink(Options());
        await sink.OpenAsync(spool.Start(), default);
        // In the place of the plan's temporary file, so that it cannot be made.
        Directory.CreateDirectory(spool.PlanPath + ".tmp");

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(spool.Cut(0, 8), default));
        Directory.Delete(spool.PlanPath + ".tmp");
        Assert.Empty(s3.In());
        await sink.SendAsync(spool.Cut(0, 8), default);

        Assert.Equal(SinkFailure.Transient, failure.Failure);
        Assert.StartsWith($"write {spool.PlanPath}: ", failure.Message, StringComparison.Ordinal);
        Assert.Equal(Numbers(1, 8), Spool.Sequences(s3));
    }

    [Fact]
    public async Task A_repeat_uploads_only_what_is_missing_and_the_same_bytes()
    {
        spool.AddInverters(40);
        var refused = new Dictionary<string, int>();
        s3.Script = call =>
        {
            lock (refused)
            {
                return call.Method == "PUT" && call.Key.Contains("-2of4", StringComparison.Ordinal) && refused.TryAdd(call.Key, 0)
                    ? new S3Fault { Answer = (403, "AccessDenied", "Access Denied") }
                    : null;
            }
        };
        var sink = NewSink(Options());
        await sink.OpenAsync(spool.Start(), default);

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(spool.Cut(0, 40), default));
        await sink.SendAsync(spool.Cut(0, 40), default);

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Equal(Numbers(1, 40), Spool.Sequences(s3));
        Assert.All(s3.In(), entry => Assert.Equal(1, entry.Value.Writes));
        Assert.Equal(1, s3.Calls.Where(call => call.Method == "PUT").GroupBy(call => call.Key).Max(puts => puts.Count()) - 1);
    }

    [Fact]
    public async Task An_answer_that_was_lost_is_recognised_by_the_object_it_left()
    {
        spool.AddInverters(40);
        var cut = new HashSet<string>();
        s3.Script = call =>
        {
            lock (cut)
                return call.Method == "PUT" && cut.Add(call.Key) ? new S3Fault { AbortAfter = true } : null;
        };

        await DeliverAsync();

        Assert.Equal(Numbers(1, 40), Spool.Sequences(s3));
        Assert.All(s3.In(), entry => Assert.Equal(1, entry.Value.Writes));
        Assert.Contains(s3.Calls, call => call.Method == "HEAD" && call.Key.Length > 0);
    }

    [Fact]
    public async Task Something_else_under_the_key_is_reported_and_never_overwritten()
    {
        spool.AddInverters(1);
        const string key = "inverter-data/2026-11-20/inverter-20261120T120001Z-00000000deadbeef-slot-0-00000000000000000000-1of1.json";
        s3.Objects[("readings", key)] = new S3Object("other"u8.ToArray(), "text/plain", new Dictionary<string, string>(), 1);
        var sink = NewSink(Options());
        await sink.OpenAsync(spool.Start(), default);
        var batch = spool.Cut(0, 1);

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(batch, default));
        Assert.Equal("other"u8.ToArray(), s3.Objects[("readings", key)].Bytes);
        s3.Objects.TryRemove(("readings", key), out _);
        await sink.SendAsync(batch, default);

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("an object with other content is there", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"aws s3 mv s3://readings/{key}", failure.Message, StringComparison.Ordinal);
        Assert.Equal([1UL], Spool.Sequences(s3));
    }

    [Theory]
    [InlineData(503, "SlowDown", SinkFailure.Transient)]
    [InlineData(500, "InternalError", SinkFailure.Transient)]
    [InlineData(409, "ConditionalRequestConflict", SinkFailure.Transient)]
    [InlineData(400, "RequestTimeout", SinkFailure.Transient)]
    [InlineData(403, "InvalidAccessKeyId", SinkFailure.NeedsOperator, "AKIA…MPLE")]
    [InlineData(403, "SignatureDoesNotMatch", SinkFailure.NeedsOperator, "AWS_SECRET_ACCESS_KEY")]
    [InlineData(403, "RequestTimeTooSkewed", SinkFailure.NeedsOperator, "timedatectl")]
    [InlineData(400, "ExpiredToken", SinkFailure.NeedsOperator, "AWS_SESSION_TOKEN")]
    [InlineData(404, "NoSuchBucket", SinkFailure.NeedsOperator, "aws s3 mb s3://readings")]
    [InlineData(501, "NotImplemented", SinkFailure.NeedsOperator, "If-None-Match")]
    public async Task An_answer_is_translated_into_what_to_do(int status, string code, SinkFailure expected, string remedy = "")
    {
        spool.AddInverters(1);
        var sink = NewSink(Options());
        await sink.OpenAsync(spool.Start(), default);
        s3.Script = call => call.Method == "PUT" ? new S3Fault { Answer = (status, code, "as scripted") } : null;

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(spool.Cut(0, 1), default));

        Assert.Equal(expected, failure.Failure);
        Assert.StartsWith("PUT s3://readings/inverter-data/2026-11-20/", failure.Message, StringComparison.Ordinal);
        Assert.Contains($": {status} {code} \"as scripted\"", failure.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Theory]
    [InlineData(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.")]
    [InlineData(400, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'")]
    public async Task A_bucket_elsewhere_names_its_region(int status, string code, string message)
    {
        spool.AddInverters(1);
        var sink = NewSink(Options());
        await sink.OpenAsync(spool.Start(), default);
        s3.Script = call => new S3Fault { Answer = (status, code, message), Header = ("x-amz-bucket-region", "eu-west-1") };

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(spool.Cut(0, 1), default));

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("set AWS_REGION=eu-west-1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_passing_failure_that_names_it()
    {
        spool.AddInverters(1);
        var options = Options();
        var sink = NewSink(options);
        await s3.DisposeAsync();

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.OpenAsync(spool.Start(), default));

        Assert.Equal(SinkFailure.Transient, failure.Failure);
        Assert.Equal($"HEAD s3://readings: {options.Endpoint!.Authority}: connection refused; is the server running, is the port right?", failure.Message);
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_is_reported_at_the_start()
    {
        s3.Buckets.Clear();

        var failure = await Assert.ThrowsAsync<SinkException>(() => NewSink(Options()).OpenAsync(spool.Start(), default));

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Equal("HEAD s3://readings: 404 NoSuchBucket; there is no bucket 'readings'; correct S3_BUCKET, or create it: aws s3 mb s3://readings --region us-east-1", failure.Message);
    }

    [Fact]
    public async Task An_upload_that_stalls_is_given_up_after_its_deadline()
    {
        spool.AddInverters(1);
        var clock = new StoppedClock();
        var sink = NewSink(Options(), clock);
        await sink.OpenAsync(spool.Start(), default);
        var never = new TaskCompletionSource();
        s3.Script = call =>
        {
            clock.Fire();
            return new S3Fault { Before = () => never.Task };
        };

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(spool.Cut(0, 1), default));
        never.SetResult();

        Assert.Equal(SinkFailure.Transient, failure.Failure);
        Assert.Contains("took longer than 30 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_ends_a_send_as_cancelled()
    {
        spool.AddInverters(40);
        var sink = NewSink(Options());
        await sink.OpenAsync(spool.Start(), default);
        using var stop = new CancellationTokenSource();
        var never = new TaskCompletionSource();
        s3.Script = _ => new S3Fault { Before = async () => { await stop.CancelAsync(); await never.Task; } };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sink.SendAsync(spool.Cut(0, 40), stop.Token));
        never.SetResult();
    }

    internal static bool Once(HashSet<string> seen, string what)
    {
        lock (seen)
            return seen.Add(what);
    }

    internal static IEnumerable<ulong> Numbers(int first, int last) => Enumerable.Range(first, last - first + 1).Select(number => (ulong)number);

    S3Options Options(int files = 4, InvalidReadings validation = InvalidReadings.Quarantine, ObjectFormat format = ObjectFormat.NdJson, ObjectCompression compression = ObjectCompression.None, TimeZoneInfo? zone = null) => new()
    {
        Region = "us-east-1",
        Bucket = "readings",
        Prefix = "inverter-data/",
        QuarantinePrefix = "inverter-quarantine/",
        Credentials = new AwsCredentials(FakeS3.AccessKeyId, "secret"),
        Endpoint = s3.Address,
        Files = files,
        Validation = validation,
        Format = format,
        Compression = compression,
        TimeZone = zone ?? TimeZoneInfo.Utc,
    };

    S3Sink NewSink(S3Options options, TimeProvider? clock = null) => spool.NewSink(options, S3Client.Create(options), clock);

    Task DeliverAsync(int files = 4) => spool.DeliverAsync(NewSink(Options(files)));

    [GeneratedRegex("^inverter-data/2026-11-20/inverter-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{16}-slot-0-[0-9]{20}-[1-4]of4[.]json$")]
    private static partial Regex KeyPattern();

    /// <summary>Time stands still; timers run when told.</summary>
    sealed class StoppedClock : TimeProvider
    {
        readonly List<Timer> timers = [];

        public override DateTimeOffset GetUtcNow() => Spool.Noon;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new Timer(() => callback(state));
            lock (timers)
                timers.Add(timer);
            return timer;
        }

        public void Fire()
        {
            lock (timers)
                timers.ForEach(timer => timer.Run());
        }

        sealed class Timer(Action callback) : ITimer
        {
            Action? callback = callback;

            public void Run() => Volatile.Read(ref callback)?.Invoke();

            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose() => Volatile.Write(ref callback, null);

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
