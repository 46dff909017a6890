using System.Diagnostics;
using System.Globalization;

namespace ThermalStreaming.Bench;

/// <summary>The simulated devices in a process of their own, so that their share of processor and memory is known. Thread-safe.</summary>
sealed class DeviceProcess : IAsyncDisposable
{
    /// <summary>The first argument by which this program is the devices.</summary>
    public const string Verb = "devices";

    readonly Process process;
    readonly Task reading;
    readonly Lock gate = new();
    readonly List<DeviceReport> reports = [];

    public DeviceProcess(DeviceOptions options)
    {
        process = Process.Start(
            new ProcessStartInfo(
                "dotnet",
                [
                    Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.Bench.dll"),
                    Verb,
                    Text(options.Port),
                    Text(options.Devices),
                    Text(options.Connections),
                    Text((int)options.Interval.TotalMilliseconds),
                    options.Password,
                    Text(options.Seed),
                ]
            )
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                Environment = { ["DOTNET_EnableDiagnostics"] = "0", ["DOTNET_gcServer"] = "0" },
            }
        )!;
        Kernel = new ProcessFigures(process.Id);
        reading = ReadAsync();

        static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }

    public ProcessFigures Kernel { get; }

    /// <summary>The last report; all zero before the first.</summary>
    public DeviceReport Latest
    {
        get
        {
            lock (gate)
                return reports.Count > 0 ? reports[^1] : default;
        }
    }

    /// <summary>The program of that process.</summary>
    public static async Task<int> MainAsync(string[] arguments)
    {
        int Number(int at) => int.Parse(arguments[at], CultureInfo.InvariantCulture);
        var options = new DeviceOptions(Number(0), Number(1), Number(2), TimeSpan.FromMilliseconds(Number(3)), arguments[4], Number(5));
        var fleet = new DeviceFleet(options, TimeProvider.System);
        var running = Task.Factory.StartNew(
            () => fleet.Run(Console.Out),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        var ordering = Task.Run(() =>
        {
            while (Console.ReadLine() is { } line)
                fleet.Do = Enum.Parse<DeviceOrder>(line);
            fleet.Do = DeviceOrder.End;
        });
        // A device that is refused ends it at once.
        await await Task.WhenAny(running, ordering);
        await running;
        return 0;
    }

    public async Task OrderAsync(DeviceOrder order)
    {
        await process.StandardInput.WriteLineAsync(order.ToString());
        await process.StandardInput.FlushAsync();
    }

    /// <summary>Waits for a report.</summary>
    /// <param name="condition">Which one.</param>
    /// <param name="otherwise">What to say when it does not come.</param>
    /// <param name="ceiling">The longest wait.</param>
    /// <returns>The first such report from now on.</returns>
    /// <exception cref="TimeoutException">It did not come.</exception>
    /// <exception cref="InvalidOperationException">The process has ended; it has said why.</exception>
    public async Task<DeviceReport> UntilAsync(Func<DeviceReport, bool> condition, string otherwise, TimeSpan ceiling)
    {
        DeviceReport last;
        var from = Latest.At;
        await Stand.Until(
            () =>
            {
                if (process.HasExited)
                    throw new InvalidOperationException($"the simulated devices ended with code {process.ExitCode}");
                return Task.FromResult(Latest is var now && now.At > from && condition(now));
            },
            otherwise,
            ceiling
        );
        last = Latest;
        return last;
    }

    /// <summary>When so many readings had been taken, as a timestamp: between two reports, evenly.</summary>
    public double TakenAt(long count)
    {
        lock (gate)
        {
            var (low, high) = (0, reports.Count - 1);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (reports[middle].Taken < count)
                    low = middle + 1;
                else
                    high = middle;
            }
            if (low == 0)
                return reports[0].At;
            var (before, after) = (reports[low - 1], reports[low]);
            return before.At + (double)(after.At - before.At) * (count - before.Taken) / Math.Max(1, after.Taken - before.Taken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        await reading;
        process.Dispose();
    }

    async Task ReadAsync()
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var report = DeviceReport.Parse(line);
            lock (gate)
                reports.Add(report);
        }
    }
}
