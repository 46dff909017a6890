using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>One replica of a forwarder, in this process, against a real broker.</summary>
sealed class Replica : IAsyncDisposable
{
    readonly ServiceProvider provider;
    readonly IHostedService service;

    Replica(ServiceProvider provider)
    {
        this.provider = provider;
        service = provider.GetRequiredService<IHostedService>();
    }

    public Health Health => provider.GetRequiredService<Health>();

    /// <summary>Ends when the service does.</summary>
    public Task Execution => ((BackgroundService)service).ExecuteTask!;

    public ForwarderMetrics Metrics => provider.GetRequiredService<ForwarderMetrics>();

    /// <summary>What <c>/status</c> says of odd senders: device, note, detail.</summary>
    public List<(string Device, string Note, string Detail)> OddSenders()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            provider.GetRequiredService<SenderNotes>().Write(json);
            json.WriteEndObject();
        }
        return [.. JsonDocument.Parse(buffer.ToArray()).RootElement.GetProperty("odd_senders").EnumerateArray()
            .Select(note => (note.GetProperty("device").GetString()!, note.GetProperty("note").GetString()!, note.GetProperty("detail").GetString()!))];
    }

    public static ForwarderOptions Options(string dataDirectory, int brokerPort, int slots = 1, TimeSpan? adoptionGrace = null) => new()
    {
        ServiceName = "forwarder",
        Kind = ReadingKind.Thermal,
        DataDirectory = dataDirectory,
        Slots = slots,
        SlotAdoptionGrace = adoptionGrace ?? TimeSpan.FromSeconds(1),
        SlotDrainQuiet = TimeSpan.FromMilliseconds(500),
        DeadLettersMaxBytes = 64 << 20,
        Mqtt = new MqttOptions { Host = "127.0.0.1", Port = brokerPort, MaximumReconnectDelay = TimeSpan.FromMilliseconds(300) },
        Journal = new JournalOptions { FreeSpaceReserveBytes = 0 },
    };

    public static async Task<Replica> StartAsync(ForwarderOptions options, Func<SlotContext, IBatchSink> createSink, bool waitUntilReady = true)
    {
        var services = new ServiceCollection()
            .AddSingleton(TimeProvider.System)
            .AddSingleton<Health>()
            .AddSingleton<StatusPage>()
            .AddSingleton(new Meter("thermal"))
            .AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance)
            .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
            .AddForwarder(options, (_, slot) => createSink(slot));
        var replica = new Replica(services.BuildServiceProvider());
        await replica.service.StartAsync(CancellationToken.None);
        if (waitUntilReady)
            await Eventually.TrueAsync(() => replica.Health.IsReady && replica.Health.Parts.Any(part => part.Key.StartsWith("mqtt", StringComparison.Ordinal)), () => string.Join(", ", replica.Health.Parts));
        return replica;
    }

    public async ValueTask DisposeAsync()
    {
        await service.StopAsync(CancellationToken.None);
        await provider.DisposeAsync();
    }
}

/// <summary>Waits for what must become true.</summary>
static class Eventually
{
    public static async Task TrueAsync(Func<bool> condition, Func<string>? describe = null, int seconds = 30)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > TimeSpan.FromSeconds(seconds))
                Assert.Fail($"It did not become true within {seconds} s. {describe?.Invoke()}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }
}
