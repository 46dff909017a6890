using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>Subscribes to everything and keeps what comes, in order of arrival.</summary>
sealed class Collector : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly List<(ReadingKind Kind, ReadingBatch Batch)> batches = [];
    readonly List<string> statuses = [];
    readonly MqttClient client;
    readonly CancellationTokenSource stop = new();
    readonly Task running;
    readonly Task receiving;

    Collector(int port, string? user)
    {
        client = new MqttClient(
            new MqttOptions
            {
                Host = "127.0.0.1",
                Port = port,
                ClientId = "collector",
                UserName = user,
                Password = user is null ? null : "secret",
                Subscriptions = [new("telemetry/v1/+/thermal"), new("telemetry/v1/+/inverter"), new("telemetry/v1/+/status")],
                MaximumReconnectDelay = TimeSpan.FromMilliseconds(200),
            },
            TimeProvider.System,
            NullLogger.Instance
        );
        running = client.RunAsync(stop.Token);
        receiving = ReceiveAsync();
    }

    /// <summary>Connects and waits until the subscriptions are granted.</summary>
    public static async Task<Collector> StartAsync(int port, string? user = null)
    {
        var collector = new Collector(port, user);
        await collector.UntilAsync(_ => collector.client.State.IsReady);
        return collector;
    }

    public List<(ReadingKind Kind, ReadingBatch Batch)> Batches
    {
        get
        {
            lock (batches)
                return [.. batches];
        }
    }

    public List<string> Statuses
    {
        get
        {
            lock (batches)
                return [.. statuses];
        }
    }

    public List<ReadingBatch> Of(ReadingKind kind) => [.. Batches.Where(batch => batch.Kind == kind).Select(batch => batch.Batch)];

    /// <summary>Sequences in order of arrival.</summary>
    public List<ulong> Sequences(ReadingKind kind, string? boot = null) =>
        [.. Of(kind).Where(batch => boot is null || batch.BootId == boot).SelectMany(Sequences)];

    public static IEnumerable<ulong> Sequences(ReadingBatch batch) =>
        batch.Thermal.Select(reading => reading.Sequence).Concat(batch.Inverters.Select(reading => reading.Sequence));

    /// <summary>Waits for what the test is about.</summary>
    public async Task UntilAsync(Func<Collector, bool> wanted)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (!wanted(this))
        {
            if (timeout.IsCancellationRequested)
                throw new TimeoutException($"What was waited for did not come; there are {Batches.Count} batches, state {client.State}.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        await receiving;
        await client.DisposeAsync();
        stop.Dispose();
    }

    async Task ReceiveAsync()
    {
        while (await client.WaitForMessagesAsync(CancellationToken.None))
        {
            while (client.TryReceive(out var message))
            {
                lock (batches)
                {
                    if (Topics.TryParse(message.Topic, out _, out var kind))
                        batches.Add((kind, ReadingBatch.Parser.ParseFrom(message.Payload.Span)));
                    else
                        statuses.Add(System.Text.Encoding.UTF8.GetString(message.Payload.Span));
                }
                client.Acknowledge(message);
            }
        }
    }
}
