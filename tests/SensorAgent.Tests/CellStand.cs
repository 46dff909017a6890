using System.Globalization;
using ThermalStreaming.Control;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>
/// Cells as an agent sees them: brokers at 127.0.0.10, 127.0.0.11 and so on, each with somebody who keeps what is published there. A
/// forwarder takes a message once however often it comes, so each cell has a set of readings.
/// </summary>
sealed class CellStand : IAsyncDisposable
{
    const string Token = "a-token-that-is-long-enough-for-the-service";

    /// <summary>Short, so that a move takes seconds.</summary>
    public const string Window = "2s";

    readonly TempDirectory data = new();
    readonly int controlPort = Ports.Take();
    readonly int brokerPort = Ports.Take();
    readonly List<MosquittoProcess> brokers = [];
    readonly List<Collector> collectors = [];

    CellStand()
    {
        File.WriteAllText(data.File("token"), Token + "\n");
        Control = new ControlClient(
            new Uri($"http://127.0.0.1:{controlPort}"),
            new ControlOptions { Token = Token, Deadline = TimeSpan.FromSeconds(60) }
        );
    }

    public static async Task<CellStand> StartAsync(int cells)
    {
        var stand = new CellStand();
        for (var cell = 0; cell < cells; cell++)
        {
            var listener = string.Create(CultureInfo.InvariantCulture, $"listener {stand.brokerPort} 127.0.0.1{cell}");
            stand.brokers.Add(await MosquittoProcess.StartAsync(new BrokerSettings { Configuration = [listener] }));
            stand.collectors.Add(await Collector.StartAsync(stand.brokers[cell].Port));
        }
        return stand;
    }

    public ControlClient Control { get; }

    public string DataDirectory => data.File("data");

    public MosquittoProcess Broker(int cell) => brokers[cell];

    public Collector At(int cell) => collectors[cell];

    public AgentProcess Agent(params (string, string)[] settings) =>
        new(
            DataDirectory,
            brokerPort,
            [
                ("MQTT_HOST", "127.0.0.1{cell}"),
                ("CELLS", $"{brokers.Count}"),
                ("REPLAY_WINDOW", Window),
                ("MQTT_KEEP_ALIVE", "1s"),
                ("GRPC_PORT", $"{controlPort}"),
                ("CONTROL_TOKEN_FILE", data.File("token")),
                .. settings,
            ]
        );

    /// <summary>Waits until a cell gets readings of both kinds that it did not have.</summary>
    public async Task FlowsToAsync(int cell)
    {
        var (thermal, inverter) = (Readings(cell, ReadingKind.Thermal).Count, Readings(cell, ReadingKind.Inverter).Count);
        await At(cell)
            .UntilAsync(_ => Readings(cell, ReadingKind.Thermal).Count > thermal && Readings(cell, ReadingKind.Inverter).Count > inverter);
    }

    public HashSet<(ReadingKind Kind, string Boot, ulong Sequence)> Readings(int cell, ReadingKind? kind = null) =>
        [
            .. At(cell)
                .Batches.Where(batch => kind is null || batch.Kind == kind)
                .SelectMany(batch => Collector.Sequences(batch.Batch).Select(sequence => (batch.Kind, batch.Batch.BootId, sequence))),
        ];

    /// <summary>Every reading is in one cell, and of each start of the agent none is missing.</summary>
    public void EachIsInOneCell()
    {
        var all = new Dictionary<(ReadingKind Kind, string Boot, ulong Sequence), int>();
        for (var cell = 0; cell < brokers.Count; cell++)
        {
            foreach (var reading in Readings(cell))
                Assert.True(all.TryAdd(reading, cell), $"{reading} is in cell {all[reading]} and in cell {cell}");
        }
        Assert.NotEmpty(all);
        foreach (var start in all.Keys.GroupBy(reading => (reading.Kind, reading.Boot)))
        {
            var sequences = start.Select(reading => reading.Sequence).ToList();
            Assert.Equal(1UL, sequences.Min());
            Assert.Equal((ulong)sequences.Count, sequences.Max());
        }
    }

    public async ValueTask DisposeAsync()
    {
        Control.Dispose();
        foreach (var collector in collectors)
            await collector.DisposeAsync();
        foreach (var broker in brokers)
            await broker.DisposeAsync();
        data.Dispose();
    }
}
