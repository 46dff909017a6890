using System.Diagnostics;
using System.Text.Json;

namespace ThermalStreaming.Bench;

/// <summary>A forwarder under test and what it says of itself.</summary>
sealed class RunningForwarder(Process process, int port, string data) : IAsyncDisposable
{
    readonly HttpClient http = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(30) };

    public ProcessFigures Kernel { get; } = new(process.Id);

    public int Port => port;

    /// <summary>Its data directory.</summary>
    public string Data => data;

    public async Task<bool> IsReadyAsync()
    {
        if (process.HasExited)
            throw new InvalidOperationException($"the forwarder ended with code {process.ExitCode}");
        try
        {
            using var answer = await http.GetAsync(new Uri("/readyz", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public async Task<Status> StatusAsync()
    {
        using var document = JsonDocument.Parse(await http.GetStringAsync(new Uri("/status", UriKind.Relative)));
        long Number(string name) => document.RootElement.GetProperty(name).GetInt64();
        return new Status(
            Number("stored"),
            Number("duplicates"),
            Number("dead_letters_made"),
            Number("appended"),
            Number("committed"),
            Number("bytes_sent"),
            Number("batches")
        );
    }

    /// <summary>One of its metrics, summed over labels.</summary>
    public async Task<double> MetricAsync(string name) => (await MetricsAsync()).Sum(name);

    /// <summary>All of its metrics, at one moment.</summary>
    public async Task<MetricLines> MetricsAsync() => new(await http.GetStringAsync(new Uri("/metrics", UriKind.Relative)));

    /// <summary>
    /// Waits until a figure has reached a number; returns when it had, to within a few milliseconds. It asks the less often the longer that
    /// will take: each answer costs the forwarder some processor time.
    /// </summary>
    /// <param name="figure">The figure.</param>
    /// <param name="wanted">The number.</param>
    /// <param name="ceiling">The longest wait.</param>
    /// <param name="mayRepeat">Whether the load sends readings again, which the forwarder then drops.</param>
    public async Task<long> ReachAsync(Func<Status, long> figure, long wanted, TimeSpan ceiling, bool mayRepeat = false)
    {
        var clock = TimeProvider.System;
        var (started, previous, previousAt) = (clock.GetTimestamp(), long.MaxValue, 0L);
        while (true)
        {
            var status = await StatusAsync();
            var (now, reached) = (clock.GetTimestamp(), figure(status));
            if (status.DeadLetters > 0 || (status.Duplicates > 0 && !mayRepeat))
                throw new InvalidOperationException(
                    $"the forwarder counts {status.Duplicates} duplicates and {status.DeadLetters} dead letters; the load contains neither"
                );
            if (reached >= wanted)
                return now;
            if (clock.GetElapsedTime(started) > ceiling)
                throw new TimeoutException($"the forwarder did not reach {wanted} readings within {ceiling.TotalSeconds:0} s: {status}");
            var wait =
                reached > previous
                    ? clock.GetElapsedTime(previousAt, now) * ((double)(wanted - reached) / (reached - previous)) / 2
                    : TimeSpan.FromMilliseconds(20);
            (previous, previousAt) = (reached, now);
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Clamp(wait.TotalMilliseconds, 5, 250)), clock);
        }
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        http.Dispose();
    }

    public sealed record Status(
        long Stored,
        long Duplicates,
        long DeadLetters,
        long Appended,
        long Committed,
        long BytesSent,
        long Batches
    );
}
