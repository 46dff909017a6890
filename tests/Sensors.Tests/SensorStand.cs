using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Sensors.Tests;

/// <summary>A simulated bus with its worker, on a clock that the test moves.</summary>
sealed class SensorStand : IDisposable
{
    public SensorStand()
    {
        Worker = new BusWorker("/dev/i2c-1", Bus.Open, Clock, Logger);
    }

    public ManualClock Clock { get; } = new();

    public SimulatedBus Bus { get; } = new();

    public FakeLogger Logger { get; } = new();

    /// <summary>The log so far, as <c>Level: text</c>.</summary>
    public IReadOnlyList<string> Lines => [.. Logger.Collector.GetSnapshot().Select(entry => $"{entry.Level}: {entry.Message}")];

    public TempDirectory Data { get; } = new();

    public BusWorker Worker { get; }

    /// <summary>The clock is not synchronised.</summary>
    public bool IsClockWrong { get; set; }

    public string BootId { get; set; } = "boot-1";

    /// <summary>The present, as drivers are told it.</summary>
    public Moment Now() => new(IsClockWrong ? null : Clock.GetUtcNow(), BootId, Clock.GetElapsedTime(0));

    public SensorLink Link(string kind, int address) => new($"{kind}@1:{address:x2}", address, Worker, Clock);

    public SensorRunner Runner(SensorDriver driver, TimeSpan? stuckAfter = null) =>
        new(driver, new QualityWatch(stuckAfter ?? TimeSpan.FromMinutes(10), Clock), 0, Clock, Logger);

    /// <summary>Lets time pass until the task has ended; a driver waits for one timer at a time.</summary>
    public async Task<T> RunAsync<T>(Task<T> task)
    {
        while (!task.IsCompleted)
        {
            if (Clock.NextDue is { } due)
                Clock.Advance(due);
            else
                await BrieflyAsync(task);
        }
        return await task;
    }

    /// <summary>Lets so much time pass, from timer to timer, whenever all of so many tasks wait for theirs.</summary>
    public async Task PassAsync(TimeSpan time, int tasks = 1)
    {
        for (var left = time; left > TimeSpan.Zero; )
        {
            await IdleAsync(tasks);
            var step = Clock.NextDue is { } due && due < left ? due : left;
            Clock.Advance(step);
            left -= step;
        }
        await IdleAsync(tasks);
    }

    async Task IdleAsync(int tasks)
    {
        for (var patience = 0; Clock.Waiting < tasks; patience++)
        {
            Assert.True(patience < 20_000, "A sensor does not wait for its next tick.");
            await BrieflyAsync(null);
        }
    }

    static async Task BrieflyAsync(Task? task)
    {
        var pause = Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        await (task is null ? pause : Task.WhenAny(task, pause));
    }

    public void Dispose()
    {
        Worker.Dispose();
        Bus.Dispose();
        Data.Dispose();
    }
}
