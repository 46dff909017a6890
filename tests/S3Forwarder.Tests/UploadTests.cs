using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>How a batch gets into the bucket: plan, uploads, repeats and proof.</summary>
public sealed class UploadTests : SinkTest
{
    [Fact]
    public async Task Never_has_more_than_four_uploads_under_way()
    {
        Spool.AddInverters(100);
        var four = new TaskCompletionSource();
        var waiting = 0;
        S3.Script = call =>
            call.Method != "PUT"
                ? null
                : new S3Fault
                {
                    Before = () =>
                    {
                        if (Interlocked.Increment(ref waiting) == 4)
                            four.TrySetResult();
                        return four.Task;
                    },
                };

        await Spool.DeliverAsync(NewSink(Options(files: 20)));

        Assert.Equal(4, S3.MostUnderWay);
        Assert.Equal(S3SinkTests.Numbers(1, 100), S3.Sequences().Order());
    }

    [Fact]
    public async Task The_plan_is_on_disk_before_the_first_upload()
    {
        Spool.AddInverters(8);
        var planned = new List<string>();
        S3.Script = call =>
        {
            if (call.Method == "PUT")
            {
                var plan = BatchPlan.Load(Spool.DirectoryPath)!;
                lock (planned)
                    planned.AddRange(
                        plan.Groups.SelectMany(group => group.Parts.Select(part => plan.Key(group, part))).Where(key => key == call.Key)
                    );
            }
            return null;
        };

        await Spool.DeliverAsync(NewSink(Options()));

        Assert.Equal(S3.In().Select(entry => entry.Key), planned.Order());
    }

    [Fact]
    public async Task A_disk_that_refuses_the_plan_lets_nothing_be_uploaded()
    {
        Spool.AddInverters(8);
        var sink = NewSink(Options());
        await sink.OpenAsync(Spool.Start(), default);
        // In the place of the plan's temporary file, so that it cannot be made.
        Directory.CreateDirectory(Spool.PlanPath + ".tmp");

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(Spool.Cut(0, 8), default));
        Directory.Delete(Spool.PlanPath + ".tmp");
        Assert.Empty(S3.In());
        await sink.SendAsync(Spool.Cut(0, 8), default);

        Assert.Equal(SinkFailure.Transient, failure.Failure);
        Assert.StartsWith($"write {Spool.PlanPath}: ", failure.Message, StringComparison.Ordinal);
        Assert.Equal(S3SinkTests.Numbers(1, 8), S3.Sequences());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Readings_of_a_plan_that_the_disk_refused_are_counted_once(bool drops)
    {
        Spool.AddInverters(2);
        Spool.AddInverters(1, change: (_, reading) => reading.FrequencyHz = double.NaN);
        Spool.AddInverters(1, Spool.Noon.AddYears(-10));
        var sink = NewSink(Options() with { Validation = drops ? InvalidReadings.Drop : InvalidReadings.Quarantine });
        var counted = new ConcurrentDictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter, Spool.Meter))
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>(
            (instrument, value, _, _) => counted.AddOrUpdate(instrument.Name, value, (_, before) => before + value)
        );
        listener.Start();
        await sink.OpenAsync(Spool.Start(), default);
        Directory.CreateDirectory(Spool.PlanPath + ".tmp");
        for (var i = 0; i < 3; i++)
            await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(Spool.Cut(0, 4), default));
        Directory.Delete(Spool.PlanPath + ".tmp");
        Assert.Empty(counted);

        await sink.SendAsync(Spool.Cut(0, 4), default);

        Assert.Equal(
            (1, drops ? 1 : 0, 1),
            (
                counted["thermal.s3.invalid_readings"],
                counted.GetValueOrDefault("thermal.s3.dropped_readings"),
                counted["thermal.s3.other_dates_readings"]
            )
        );
    }

    [Fact]
    public async Task A_repeat_uploads_only_what_is_missing_and_the_same_bytes()
    {
        Spool.AddInverters(40);
        var refused = new Dictionary<string, int>();
        S3.Script = call =>
        {
            lock (refused)
            {
                return call.Method == "PUT" && call.Key.Contains("-2of4", StringComparison.Ordinal) && refused.TryAdd(call.Key, 0)
                    ? new S3Fault { Answer = (403, "AccessDenied", "Access Denied") }
                    : null;
            }
        };
        var sink = NewSink(Options());
        await sink.OpenAsync(Spool.Start(), default);

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(Spool.Cut(0, 40), default));
        await sink.SendAsync(Spool.Cut(0, 40), default);

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Equal(S3SinkTests.Numbers(1, 40), S3.Sequences());
        Assert.All(S3.In(), entry => Assert.Equal(1, entry.Value.Writes));
        Assert.Equal(1, S3.Calls.Where(call => call.Method == "PUT").GroupBy(call => call.Key).Max(puts => puts.Count()) - 1);
    }

    [Fact]
    public async Task An_answer_that_was_lost_is_recognised_by_the_object_it_left()
    {
        Spool.AddInverters(40);
        var cut = new HashSet<string>();
        S3.Script = call =>
        {
            lock (cut)
                return call.Method == "PUT" && cut.Add(call.Key) ? new S3Fault { AbortAfter = true } : null;
        };

        await Spool.DeliverAsync(NewSink(Options()));

        Assert.Equal(S3SinkTests.Numbers(1, 40), S3.Sequences());
        Assert.All(S3.In(), entry => Assert.Equal(1, entry.Value.Writes));
        Assert.Contains(S3.Calls, call => call.Method == "HEAD" && call.Key.Length > 0);
    }

    [Fact]
    public async Task Something_else_under_the_key_is_reported_and_never_overwritten()
    {
        Spool.AddInverters(1);
        const string key = "inverter-data/2026-11-20/inverter-20261120T120001Z-00000000deadbeef-slot-0-00000000000000000000-1of1.json";
        S3.Objects[("readings", key)] = new S3Object("other"u8.ToArray(), "text/plain", new Dictionary<string, string>(), 1);
        var sink = NewSink(Options());
        await sink.OpenAsync(Spool.Start(), default);
        var batch = Spool.Cut(0, 1);

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(batch, default));
        Assert.Equal("other"u8.ToArray(), S3.Objects[("readings", key)].Bytes);
        S3.Objects.TryRemove(("readings", key), out _);
        await sink.SendAsync(batch, default);

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("an object with other content is there", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"aws s3 mv s3://readings/{key}", failure.Message, StringComparison.Ordinal);
        Assert.Equal([1UL], S3.Sequences());
    }

    [Fact]
    public async Task An_upload_that_stalls_is_given_up_after_its_deadline()
    {
        Spool.AddInverters(1);
        var clock = new StoppedClock();
        var sink = Spool.NewSink(Options(), S3Client.Create(Options()), clock);
        await sink.OpenAsync(Spool.Start(), default);
        var never = new TaskCompletionSource();
        S3.Script = call =>
        {
            clock.Fire();
            return new S3Fault { Before = () => never.Task };
        };

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(Spool.Cut(0, 1), default));
        never.SetResult();

        Assert.Equal(SinkFailure.Transient, failure.Failure);
        Assert.Contains("took longer than 30 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_ends_a_send_as_cancelled()
    {
        Spool.AddInverters(40);
        var sink = NewSink(Options());
        await sink.OpenAsync(Spool.Start(), default);
        using var stop = new CancellationTokenSource();
        var never = new TaskCompletionSource();
        S3.Script = _ => new S3Fault
        {
            Before = async () =>
            {
                await stop.CancelAsync();
                await never.Task;
            },
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sink.SendAsync(Spool.Cut(0, 40), stop.Token));
        never.SetResult();
    }

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
