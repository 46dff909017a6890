using System.Globalization;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>Control of a real forwarder by gRPC, between a real broker and a store, while it is killed.</summary>
public sealed class ControlTests(ITestOutputHelper output) : IDisposable
{
    const string Token = "a-token-that-is-long-enough-for-the-service";

    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    readonly TempDirectory directory = new();
    readonly int port = Ports.Take();
    int published;

    public void Dispose() => directory.Dispose();

    ForwarderProcess Start(int brokerPort, Uri store, string linger = "100ms")
    {
        File.WriteAllText(directory.File("token"), Token + "\n");
        return new ForwarderProcess(
            directory.File("data"),
            brokerPort,
            store,
            [
                ("GRPC_PORT", $"{port}"),
                ("CONTROL_TOKEN_FILE", directory.File("token")),
                ("S3_BATCH_LINGER", linger),
                ("NUM_FILES", "1"),
                ("S3_COMPRESS", "None"),
            ]
        );
    }

    ControlClient Client(string? token = Token) =>
        new(new Uri($"http://127.0.0.1:{port}"), new ControlOptions { Token = token, Deadline = TimeSpan.FromSeconds(60) });

    [Fact]
    public async Task A_pause_holds_over_a_kill_and_each_reading_is_delivered_once_after_it()
    {
        await using var store = await FakeS3.StartAsync();
        await using var broker = await MosquittoProcess.StartAsync();
        using var client = Client();
        using (var first = Start(broker.Port, store.Address))
        {
            await UntilAnsweredAsync(first, client);
            await client.Forwarder.PauseAsync(new PauseRequest { Reason = "the warehouse\nis moved" });
            await PublishAsync(broker.Port, 30);
            await UntilAsync(first, async () => (await client.Forwarder.GetStatusAsync(new())).BacklogReadings == 30);
            first.Kill();
        }

        using var second = Start(broker.Port, store.Address);
        await UntilAnsweredAsync(second, client);
        var status = await client.Forwarder.GetStatusAsync(new());
        Assert.True(status.Paused);
        await UntilAsync(
            second,
            async () => (await second.GetAsync("/readyz"))?.Contains("because the warehouse is moved", StringComparison.Ordinal) == true
        );
        Assert.DoesNotContain("FAIL delivery", await second.GetAsync("/readyz"), StringComparison.Ordinal);
        await PublishAsync(broker.Port, 10);
        await UntilAsync(second, async () => (await client.Forwarder.GetStatusAsync(new())).BacklogReadings == 40);
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await client.Forwarder.FlushAsync(new()));
        Assert.Equal(StatusCode.FailedPrecondition, refused.StatusCode);
        Assert.Empty(store.Objects);

        Assert.True((await client.Forwarder.ResumeAsync(new())).WasPaused);
        Assert.False((await client.Forwarder.ResumeAsync(new())).WasPaused);
        await UntilAsync(second, () => Task.FromResult(Delivered(store).Count >= 40));

        AssertEachOnce(store);
        await UntilAsync(second, async () => (await client.Forwarder.GetStatusAsync(new())).ReadingsCommitted == 40);
    }

    [Fact]
    public async Task The_status_says_what_damage_has_cost_when_it_was_found_and_what_is_kept_of_it()
    {
        await using var store = await FakeS3.StartAsync();
        await using var broker = await MosquittoProcess.StartAsync();
        using var client = Client();
        using (var first = Start(broker.Port, store.Address))
        {
            await UntilAnsweredAsync(first, client);
            await client.Forwarder.PauseAsync(new PauseRequest());
            await PublishAsync(broker.Port, 30);
            await UntilAsync(first, async () => (await client.Forwarder.GetStatusAsync(new())).BacklogReadings == 30);
            var well = Assert.Single((await client.Forwarder.GetStatusAsync(new())).Slots);
            Assert.Equal((0UL, null, 0U), (well.LostReadings, well.LossAge, well.QuarantinedFiles));
            first.Kill();
        }
        var segment = Directory.GetFiles(directory.File("data/slots/slot-0/journal"), "*.segment").Single();
        var bytes = await File.ReadAllBytesAsync(segment);
        bytes[bytes.Length / 2] ^= 0x11;
        await File.WriteAllBytesAsync(segment, bytes);

        using var second = Start(broker.Port, store.Address);
        await UntilAnsweredAsync(second, client);

        await UntilAsync(second, async () => (await client.Forwarder.GetStatusAsync(new())).Slots.Any(slot => slot.LostReadings > 0));
        var slot = Assert.Single((await client.Forwarder.GetStatusAsync(new())).Slots);
        Assert.InRange(slot.LossAge.ToTimeSpan(), TimeSpan.Zero, Patience);
        Assert.Equal(1U, slot.QuarantinedFiles);
    }

    [Fact]
    public async Task Flush_delivers_what_is_there_without_waiting_for_the_batch_to_be_due()
    {
        await using var store = await FakeS3.StartAsync();
        await using var broker = await MosquittoProcess.StartAsync();
        using var client = Client();
        using var forwarder = Start(broker.Port, store.Address, linger: "1h");
        await UntilAnsweredAsync(forwarder, client);
        Assert.Equal(0UL, (await client.Forwarder.FlushAsync(new())).Readings);
        await PublishAsync(broker.Port, 25);
        await UntilAsync(forwarder, async () => (await client.Forwarder.GetStatusAsync(new())).BacklogReadings == 25);
        Assert.Empty(store.Objects);

        var flushed = await client.Forwarder.FlushAsync(new());

        Assert.Equal(25UL, flushed.Readings);
        Assert.Equal(25, Delivered(store).Count);
        Assert.Equal(0UL, (await client.Forwarder.GetStatusAsync(new())).BacklogReadings);
        AssertEachOnce(store);
    }

    [Fact]
    public async Task A_flush_that_cannot_end_ends_with_its_deadline_and_delivery_goes_on()
    {
        await using var store = await FakeS3.StartAsync();
        var (isDown, attempts) = (false, 0);
        store.Script = _ =>
        {
            Interlocked.Increment(ref attempts);
            return Volatile.Read(ref isDown) ? new S3Fault { Answer = (503, "SlowDown", "later") } : null;
        };
        await using var broker = await MosquittoProcess.StartAsync();
        using var client = Client();
        using var forwarder = Start(broker.Port, store.Address, linger: "1h");
        await UntilAnsweredAsync(forwarder, client);
        await PublishAsync(broker.Port, 5);
        await UntilAsync(forwarder, async () => (await client.Forwarder.GetStatusAsync(new())).BacklogReadings == 5);
        Assert.Empty(store.Objects);
        // Only now: a forwarder that has failed twice at the bucket is not ready, and a busy machine would not see it before.
        Volatile.Write(ref isDown, true);
        var before = Volatile.Read(ref attempts);

        do
        {
            // On a busy machine a deadline may pass before the request has reached the forwarder, which then knows nothing of it.
            var late = await Assert.ThrowsAsync<RpcException>(async () =>
                await client.Forwarder.FlushAsync(new(), deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(2))
            );
            Assert.Equal(StatusCode.DeadlineExceeded, late.StatusCode);
        } while (Volatile.Read(ref attempts) == before);
        Volatile.Write(ref isDown, false);

        await UntilAsync(forwarder, () => Task.FromResult(Delivered(store).Count >= 5));
        AssertEachOnce(store);
    }

    [Fact]
    public async Task Killed_at_any_moment_of_pause_resume_and_flush_it_delivers_each_reading_once()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        await using var store = await FakeS3.StartAsync();
        await using var broker = await MosquittoProcess.StartAsync();
        using var client = Client();
        for (var round = 0; round < 5; round++)
        {
            using var forwarder = Start(broker.Port, store.Address, random.Next(2) == 0 ? "100ms" : "1h");
            await UntilAnsweredAsync(forwarder, client);
            await PublishAsync(broker.Port, 20);
            using var calling = new CancellationTokenSource();
            var calls = CallAsync(client, random.Next(), calling.Token);
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1_500)), TimeProvider.System);
            forwarder.Kill();
            await calling.CancelAsync();
            await calls;
        }

        using var last = Start(broker.Port, store.Address);
        await UntilAnsweredAsync(last, client);
        await client.Forwarder.ResumeAsync(new());
        await UntilAsync(last, () => Task.FromResult(Delivered(store).Count >= published));
        AssertEachOnce(store);
    }

    [Fact]
    public async Task Dead_letters_are_listed_by_pages_shown_and_replayed_one_by_one()
    {
        await using var store = await FakeS3.StartAsync();
        await using var broker = await MosquittoProcess.StartAsync();
        using var client = Client();
        using var forwarder = Start(broker.Port, store.Address);
        await UntilAnsweredAsync(forwarder, client);
        await using (var mqtt = await MqttNetClient.ConnectedAsync(broker.Port, "sender"))
        {
            foreach (var text in new[] { "no json 1", "no json 2", "no json 3" })
                await PublishAsync(mqtt, text);
        }
        List<DeadLetter> letters = [];
        await UntilAsync(
            forwarder,
            async () =>
            {
                letters = [.. (await client.Forwarder.ListDeadLettersAsync(new())).Letters];
                return letters.Count == 3;
            }
        );

        var page = await client.Forwarder.ListDeadLettersAsync(new() { PageSize = 2 });
        var next = await client.Forwarder.ListDeadLettersAsync(new() { PageSize = 2, PageToken = page.NextPageToken });
        Assert.Equal(letters.Select(letter => letter.Id), page.Letters.Concat(next.Letters).Select(letter => letter.Id));
        Assert.Equal((2, 1, ""), (page.Letters.Count, next.Letters.Count, next.NextPageToken));
        var shown = await client.Forwarder.GetDeadLetterAsync(new() { Id = letters[1].Id });
        Assert.Equal(("no json 2", "unread"), (shown.Payload.ToStringUtf8(), shown.Origin));

        Assert.Equal(1UL, (await client.Forwarder.ReplayDeadLettersAsync(new() { Ids = { letters[1].Id } })).Queued);
        // It cannot be read this time either, so it comes back, as another letter.
        await UntilAsync(
            forwarder,
            async () =>
            {
                var now = (await client.Forwarder.ListDeadLettersAsync(new())).Letters.Select(letter => letter.Id).ToList();
                return now.Count == 3 && !now.Contains(letters[1].Id) && now.Contains(letters[0].Id) && now.Contains(letters[2].Id);
            }
        );
        var gone = await Assert.ThrowsAsync<RpcException>(async () =>
            await client.Forwarder.GetDeadLetterAsync(new() { Id = letters[1].Id })
        );
        Assert.Equal(StatusCode.NotFound, gone.StatusCode);
        // Neither does the blank line in its place become a letter when the others are replayed.
        Assert.Equal(3UL, (await client.Forwarder.ReplayDeadLettersAsync(new())).Queued);
        await UntilAsync(
            forwarder,
            async () =>
                (await client.Forwarder.ListDeadLettersAsync(new()))
                    .Letters.Select(letter => letter.PayloadBytes)
                    .SequenceEqual([9UL, 9UL, 9UL])
        );
    }

    [Fact]
    public async Task The_open_journal_is_inspected_and_verified()
    {
        await using var store = await FakeS3.StartAsync();
        await using var broker = await MosquittoProcess.StartAsync();
        using var client = Client();
        using var forwarder = Start(broker.Port, store.Address, linger: "1h");
        await UntilAnsweredAsync(forwarder, client);
        await PublishAsync(broker.Port, 7);
        await UntilAsync(forwarder, async () => (await client.Forwarder.GetStatusAsync(new())).BacklogReadings == 7);

        var journal = Assert.Single((await client.Forwarder.InspectJournalAsync(new() { Verify = true })).Journals);

        Assert.Equal(("slot-0", 7UL, 1U), (journal.Slot, journal.VerifiedReadings, journal.Segments));
        Assert.Equal(7UL, journal.NextOffset - journal.CommittedOffset);
        Assert.Empty(journal.Problems);
    }

    [Fact]
    public async Task A_foreign_client_reads_without_a_token_and_changes_nothing_with_a_wrong_one()
    {
        await using var store = await FakeS3.StartAsync();
        await using var broker = await MosquittoProcess.StartAsync();
        using var client = Client(token: null);
        using var forwarder = Start(broker.Port, store.Address);
        await UntilAnsweredAsync(forwarder, client);

        var status = await ForeignClient.CallAsync(port, "/thermal.v1.Forwarder/GetStatus");
        var missing = await ForeignClient.CallAsync(port, "/thermal.v1.Forwarder/Pause");
        var wrong = await ForeignClient.CallAsync(port, "/thermal.v1.Forwarder/Pause", "{}", $"token={Token}x");
        File.Delete(directory.File("token"));
        var noFile = await ForeignClient.CallAsync(port, "/thermal.v1.Forwarder/Resume", "{}", $"token={Token}");
        File.WriteAllText(directory.File("token"), "short");
        var shortFile = await ForeignClient.CallAsync(port, "/thermal.v1.Forwarder/Resume", "{}", "token=short");

        Assert.Equal("s3-forwarder", status.Messages[0].GetProperty("info").GetProperty("service").GetString());
        Assert.Equal(("UNAUTHENTICATED", "ErrorInfo"), (missing.Code, missing.Details));
        Assert.Equal(("UNAUTHENTICATED", "ErrorInfo"), (wrong.Code, wrong.Details));
        Assert.Equal(("FAILED_PRECONDITION", "PreconditionFailure"), (noFile.Code, noFile.Details));
        Assert.Contains("docker compose run --rm setup", noFile.Message, StringComparison.Ordinal);
        Assert.Equal("FAILED_PRECONDITION", shortFile.Code);
        Assert.False((await client.Forwarder.GetStatusAsync(new())).Paused);
    }

    /// <summary>What changes nothing, by name: a method that is added needs the token until somebody decides otherwise.</summary>
    [Theory]
    [InlineData("Flush")]
    [InlineData("Pause")]
    [InlineData("Resume")]
    [InlineData("ReplayDeadLetters")]
    public void A_method_that_changes_something_needs_the_token(string method)
    {
        var reads = ThermalStreaming.Forwarding.ForwarderServices.Control.Reads;

        Assert.DoesNotContain(method, reads);
        Assert.Equal(
            ["Flush", "Pause", "ReplayDeadLetters", "Resume"],
            Forwarder.Descriptor.Methods.Select(known => known.Name).Except(reads).Order(StringComparer.Ordinal)
        );
    }

    /// <summary>Calls at random until it is cancelled, whatever the answers.</summary>
    static async Task CallAsync(ControlClient client, int seed, CancellationToken stop)
    {
        var random = new Random(seed);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                switch (random.Next(3))
                {
                    case 0:
                        await client.Forwarder.PauseAsync(new PauseRequest { Reason = "test" }, cancellationToken: stop);
                        break;
                    case 1:
                        await client.Forwarder.ResumeAsync(new(), cancellationToken: stop);
                        break;
                    default:
                        await client.Forwarder.FlushAsync(new(), cancellationToken: stop);
                        break;
                }
            }
            catch (RpcException)
            {
                // Paused, or killed.
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, CancellationToken.None);
            }
        }
    }

    async Task PublishAsync(int brokerPort, int readings)
    {
        await using var mqtt = await MqttNetClient.ConnectedAsync(brokerPort, "sender");
        for (var i = 0; i < readings; i++)
        {
            var sequence = (++published).ToString(CultureInfo.InvariantCulture);
            await PublishAsync(
                mqtt,
                $$"""{"id":"Inverter_1","PAC":3000,"energy_output":15000,"energy_conversion_efficiency":95,"performance_ratio":0.8,"system_uptime":99,"temperature":40,"input_voltage":600,"output_voltage":230,"frequency":50,"fault_status":"None","boot_id":"0123456789abcdef0123456789abcdef","sequence":{{sequence}}}"""
            );
        }
    }

    /// <summary>Until somebody has subscribed, the broker answers that there is nobody.</summary>
    static async Task PublishAsync(MqttNetClient mqtt, string payload)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (
            await mqtt.PublishAsync(
                "telemetry/v1/roof/inverter",
                Encoding.UTF8.GetBytes(payload),
                "application/json",
                cancellationToken: timeout.Token
            ) != 0
        )
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, timeout.Token);
    }

    /// <summary>Sequence numbers in the store, with repeats.</summary>
    static List<int> Delivered(FakeS3 store) =>
        [
            .. store
                .Objects.Values.SelectMany(stored =>
                    Encoding.UTF8.GetString(stored.Bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                )
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("sequence").GetInt32()),
        ];

    void AssertEachOnce(FakeS3 store) => Assert.Equal(Enumerable.Range(1, published), Delivered(store).Order());

    Task UntilAnsweredAsync(ForwarderProcess forwarder, ControlClient client) =>
        UntilAsync(
            forwarder,
            async () =>
            {
                var status = await client.Forwarder.GetStatusAsync(new());
                return status.Slots.Count == 1 && status.Info.Ready;
            }
        );

    async Task UntilAsync(ForwarderProcess forwarder, Func<Task<bool>> until)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                if (await until())
                    return;
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded)
            {
                // It starts, or it has ended, which is seen below.
            }
            if (timeout.IsCancellationRequested || forwarder.HasExited)
            {
                output.WriteLine(forwarder.Log);
                Assert.Fail("It did not come to that in time; the log is above.");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }
}
