using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mappings;
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

    /// <summary>What an observable instrument of this replica says now, added up.</summary>
    public long Figure(string instrument)
    {
        var meter = provider.GetRequiredService<Meter>();
        long sum = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (found, self) =>
        {
            if (ReferenceEquals(found.Meter, meter) && found.Name == instrument)
                self.EnableMeasurementEvents(found);
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => sum += value);
        listener.Start();
        listener.RecordObservableInstruments();
        return sum;
    }

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
        return
        [
            .. JsonDocument
                .Parse(buffer.ToArray())
                .RootElement.GetProperty("odd_senders")
                .EnumerateArray()
                .Select(note =>
                    (
                        note.GetProperty("device").GetString()!,
                        note.GetProperty("note").GetString()!,
                        note.GetProperty("detail").GetString()!
                    )
                ),
        ];
    }

    public static ForwarderOptions Options(
        string dataDirectory,
        int brokerPort,
        int slots = 1,
        TimeSpan? adoptionGrace = null,
        MappingSet? mappings = null,
        int mostSlots = 0,
        ScalingPace? pace = null
    ) =>
        new()
        {
            ServiceName = "forwarder",
            Kind = ReadingKind.Thermal,
            DataDirectory = dataDirectory,
            Slots = slots,
            MostSlots = mostSlots,
            Pace = pace ?? ScalingPace.Usual,
            SlotAdoptionGrace = adoptionGrace ?? TimeSpan.FromSeconds(1),
            SlotDrainQuiet = TimeSpan.FromMilliseconds(500),
            DeadLettersMaxBytes = 64 << 20,
            Mqtt = new MqttOptions
            {
                Host = "127.0.0.1",
                Port = brokerPort,
                MaximumReconnectDelay = TimeSpan.FromMilliseconds(300),
            },
            Journal = new JournalOptions { FreeSpaceReserveBytes = 0 },
            Mappings = mappings ?? MappingSet.None,
        };

    /// <summary>What an intake needs of a forwarder.</summary>
    public static SlotServices Services(
        ForwarderOptions options,
        DeadLetters letters,
        ForwarderMetrics metrics,
        TimeProvider clock,
        SenderNotes senders,
        ILogger logger,
        IntakeRules? rules = null
    ) =>
        new()
        {
            Options = options,
            Rules = rules,
            CreateSink = _ => throw new NotSupportedException(),
            DeadLetters = letters,
            Senders = senders,
            Devices = new DeviceFreshness(clock),
            Metrics = metrics,
            Pause = new PauseSwitch(options.DataDirectory, clock, NullLogger<PauseSwitch>.Instance),
            Health = new Health(),
            Clock = clock,
            Logger = logger,
        };

    public static async Task<Replica> StartAsync(
        ForwarderOptions options,
        Func<SlotContext, IBatchSink> createSink,
        bool waitUntilReady = true,
        IntakeRules? rules = null
    )
    {
        var services = new ServiceCollection()
            .AddSingleton(TimeProvider.System)
            .AddSingleton<Health>()
            .AddSingleton<StatusPage>()
            .AddSingleton(new Meter("thermal"))
            .AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance)
            .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
            .AddForwarder(options, (_, slot) => createSink(slot));
        if (rules is not null)
            services.AddSingleton(rules);
        var replica = new Replica(services.BuildServiceProvider());
        await replica.service.StartAsync(CancellationToken.None);
        if (waitUntilReady)
            await Eventually.TrueAsync(
                () => replica.Health.IsReady && replica.Health.Parts.Any(part => part.Key.StartsWith("mqtt", StringComparison.Ordinal)),
                () => string.Join(", ", replica.Health.Parts)
            );
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
