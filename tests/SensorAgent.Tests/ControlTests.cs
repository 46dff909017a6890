using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>Control of a real agent by gRPC, by our client and by one of another maker.</summary>
public sealed class ControlTests : IDisposable
{
    const string Token = "a-token-that-is-long-enough-for-the-service";

    readonly TempDirectory data = new();
    readonly int port = Ports.Take();
    readonly ControlClient client;

    public ControlTests()
    {
        File.WriteAllText(data.File("token"), Token + "\n");
        client = Client(port);
    }

    public void Dispose()
    {
        client.Dispose();
        data.Dispose();
    }

    static ControlClient Client(int port) =>
        new(new Uri($"http://127.0.0.1:{port}"), new ControlOptions { Token = Token, Deadline = TimeSpan.FromSeconds(60) });

    AgentProcess Start(int brokerPort, params (string, string)[] settings) =>
        new(data.File("data"), brokerPort, [("GRPC_PORT", $"{port}"), ("CONTROL_TOKEN_FILE", data.File("token")), .. settings]);

    [Fact]
    public async Task A_foreign_client_reads_the_status_and_watches_readings()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        // An agent without a forwarder is not ready.
        await using var collector = await Collector.StartAsync(broker.Port);
        using var agent = Start(broker.Port);
        await agent.StatusAsync(status => status.GetProperty("ready").GetBoolean() && status.GetProperty("readings_taken").GetInt64() > 5);

        var health = await ForeignClient.CallAsync(port, "/grpc.health.v1.Health/Check", """{"service":"thermal.v1.Agent"}""");
        var unknown = await ForeignClient.CallAsync(port, "/grpc.health.v1.Health/Check", """{"service":"nothing"}""");
        var status = await ForeignClient.CallAsync(port, "/thermal.v1.Agent/GetStatus");
        var readings = await ForeignClient.CallAsync(port, "/thermal.v1.Agent/WatchReadings", """{"kind":"thermal"}""", "take=4");
        var inverters = await ForeignClient.CallAsync(port, "/thermal.v1.Agent/WatchReadings", """{"kind":"inverter"}""", "take=1");
        var late = await ForeignClient.CallAsync(port, "/thermal.v1.Agent/WatchStatus", "{}", "deadline=3");
        var now = await ForeignClient.CallAsync(port, "/thermal.v1.Agent/ReadNow");
        var wrong = await ForeignClient.CallAsync(port, "/thermal.v1.Agent/SetSampling", """{"batch_size":2}""", "token=no");

        Assert.Equal("SERVING", health.Messages[0].GetProperty("status").GetString());
        Assert.Equal("NOT_FOUND", unknown.Code);
        Assert.Equal("pi", status.Messages[0].GetProperty("device_id").GetString());
        Assert.Equal("0.200s", status.Messages[0].GetProperty("thermal").GetProperty("interval").GetString());
        var sequences = readings
            .Messages.Select(message =>
                ulong.Parse(
                    message.GetProperty("batch").GetProperty("thermal")[0].GetProperty("sequence").GetString()!,
                    CultureInfo.InvariantCulture
                )
            )
            .ToList();
        Assert.Equal(Enumerable.Range(0, 4).Select(i => sequences[0] + (ulong)i), sequences);
        Assert.Equal(3, inverters.Messages[0].GetProperty("batch").GetProperty("inverters").GetArrayLength());
        Assert.Equal("DEADLINE_EXCEEDED", late.Code);
        Assert.NotEmpty(late.Messages);
        // It has a time of day, and no number.
        var taken = now.Messages[0].GetProperty("reading");
        Assert.False(taken.TryGetProperty("sequence", out _));
        Assert.True(long.Parse(taken.GetProperty("observed_at_us").GetString()!, CultureInfo.InvariantCulture) > 1_700_000_000_000_000);
        Assert.Equal(("UNAUTHENTICATED", "ErrorInfo"), (wrong.Code, wrong.Details));
    }

    [Fact]
    public async Task Simulated_sensors_are_tested_and_cannot_be_calibrated()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        using var agent = Start(broker.Port);
        await agent.StatusAsync(_ => true);

        var tested = await ForeignClient.CallAsync(port, "/thermal.v1.Agent/SelfTest", "{}", $"token={Token}");
        var results = tested.Messages[0].GetProperty("results").EnumerateArray().ToList();
        Assert.Equal(3, results.Count);
        Assert.All(results, result => Assert.True(result.GetProperty("passed").GetBoolean()));
        Assert.Equal("UNAUTHENTICATED", (await ForeignClient.CallAsync(port, "/thermal.v1.Agent/SelfTest")).Code);

        foreach (var (id, code) in new[] { ("simulated-scd4x", "UNIMPLEMENTED"), ("scd4x@1:62", "NOT_FOUND") })
        {
            var body = $$"""{"sensor_id":"{{id}}","reference":425}""";
            Assert.Equal(code, (await ForeignClient.CallAsync(port, "/thermal.v1.Agent/Calibrate", body, $"token={Token}")).Code);
        }
    }

    [Fact]
    public async Task What_was_set_holds_at_once_and_over_a_kill_until_it_is_reset()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        using (var agent = Start(broker.Port, ("INTERVAL_SECONDS", "1d"), ("BATCH_SIZE", "5"), ("INVERTERS_NUM", "0")))
        {
            await agent.StatusAsync(_ => true);
            // The first reading would be due in hours.
            var set = await client.Agent.SetSamplingAsync(
                new() { Interval = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(300)), BatchSize = 3 }
            );
            Assert.Equal((3U, true), (set.BatchSize, set.Overridden));
            await agent.StatusAsync(status => status.GetProperty("readings_taken").GetInt64() >= 9);
            agent.Kill();
        }
        using var again = Start(broker.Port, ("INTERVAL_SECONDS", "1d"), ("BATCH_SIZE", "5"), ("INVERTERS_NUM", "0"));
        await again.StatusAsync(status => status.GetProperty("readings_taken").GetInt64() >= 6);
        Assert.Equal(TimeSpan.FromMilliseconds(300), (await client.Agent.GetStatusAsync(new())).Thermal.Interval.ToTimeSpan());

        var reset = await client.Agent.SetSamplingAsync(new() { Reset = true });

        Assert.Equal((TimeSpan.FromDays(1), 5U, false), (reset.Interval.ToTimeSpan(), reset.BatchSize, reset.Overridden));
    }

    static readonly (string Kind, long Milliseconds, uint Size, bool Reset)[] impossible =
    [
        ("thermal", 99, 0, false),
        ("thermal", 86_400_001, 0, false),
        ("thermal", -1, 0, false),
        ("thermal", 0, 5_001, false),
        ("inverter", 0, 3, false),
        ("thermal", 500, 0, true),
        ("thermal", 0, 0, false),
        ("humidity", 500, 0, false),
    ];

    [Fact]
    public async Task What_cannot_be_is_refused_field_by_field_and_changes_nothing()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        using var agent = Start(broker.Port);
        await agent.StatusAsync(_ => true);
        foreach (var (kind, milliseconds, size, reset) in impossible)
        {
            var request = new SetSamplingRequest
            {
                Kind = kind,
                BatchSize = size,
                Reset = reset,
                Interval = milliseconds == 0 ? null : Duration.FromTimeSpan(TimeSpan.FromMilliseconds(milliseconds)),
            };
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await client.Agent.SetSamplingAsync(request));
            Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
            Assert.NotEmpty(refused.GetRpcStatus()!.GetDetail<Google.Rpc.BadRequest>()!.FieldViolations);
        }
        // Not a duration at all.
        var odd = await Assert.ThrowsAsync<RpcException>(async () =>
            await client.Agent.SetSamplingAsync(
                new()
                {
                    Interval = new Duration { Seconds = 1, Nanos = -5 },
                }
            )
        );
        Assert.Equal(StatusCode.InvalidArgument, odd.StatusCode);
        Assert.False((await client.Agent.GetStatusAsync(new())).Thermal.Overridden);
        Assert.False(File.Exists(Path.Combine(data.File("data"), "sampling")));
    }

    [Fact]
    public async Task A_ninth_watcher_is_refused_until_one_leaves_and_a_stop_waits_for_none()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        using var agent = Start(broker.Port);
        await agent.StatusAsync(_ => true);
        var watchers = Enumerable.Range(0, 8).Select(_ => client.Agent.WatchReadings(new())).ToList();
        foreach (var watcher in watchers)
            Assert.True(await watcher.ResponseStream.MoveNext(CancellationToken.None));

        using (var ninth = client.Agent.WatchReadings(new()))
        {
            var refused = await Assert.ThrowsAsync<RpcException>(() => ninth.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        }
        watchers[0].Dispose();
        await UntilWatchedAsync();

        Assert.Equal(0, await agent.StopAsync());
        foreach (var watcher in watchers)
            watcher.Dispose();
    }

    [Fact]
    public async Task A_replaying_agent_says_why_it_cannot_be_set()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        using var agent = Start(broker.Port, ("INVERTERS_NUM", "0"));
        await agent.StatusAsync(_ => true);

        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await client.Agent.SetSamplingAsync(new() { Kind = "inverter", Interval = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) })
        );

        Assert.Equal(StatusCode.FailedPrecondition, refused.StatusCode);
        Assert.Contains("INVERTERS_NUM", refused.Status.Detail, StringComparison.Ordinal);
    }

    /// <summary>The place of a watcher that has left is free as soon as the agent has heard of it.</summary>
    async Task UntilWatchedAsync()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            using var watcher = client.Agent.WatchReadings(new(), cancellationToken: timeout.Token);
            try
            {
                Assert.True(await watcher.ResponseStream.MoveNext(timeout.Token));
                return;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, timeout.Token);
            }
        }
    }
}
