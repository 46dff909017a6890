using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>A real agent in a process of its own, with a data directory that outlives it.</summary>
sealed class AgentProcess : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly Process process;
    readonly StringBuilder log = new();
    readonly HttpClient http;

    public AgentProcess(string dataDirectory, int brokerPort, params (string Key, string Value)[] settings)
    {
        var port = Ports.Take();
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.SensorAgent.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        (string, string)[] defaults =
        [
            ("HTTP_PORT", $"{port}"),
            ("DATA_DIRECTORY", dataDirectory),
            ("MQTT_HOST", "127.0.0.1"),
            ("MQTT_PORT", $"{brokerPort}"),
            ("DEVICE_ID", "pi"),
            ("SOURCE", "simulate"),
            ("SEED", "1"),
            ("JOURNAL_FREE_RESERVE", "0"),
            // This machine may have no NTP, and have been started just now.
            ("CLOCK_PATIENCE", "0"),
            ("BATCH_SIZE", "5"),
            ("INTERVAL_SECONDS", "200ms"),
            ("INVERTERS_NUM", "3"),
            ("INVERTER_INTERVAL_SECONDS", "300ms"),
        ];
        foreach (var (key, value) in defaults.Concat(settings))
            start.Environment[key] = value;
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
    }

    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    /// <summary>kill -9, and waits for its end.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    /// <summary>SIGSTOP: it stays, and does nothing.</summary>
    public void Freeze() => Signal(19);

    /// <summary>SIGCONT, after <see cref="Freeze"/>.</summary>
    public void Thaw() => Signal(18);

    /// <summary>SIGTERM, as a container engine sends it.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        Signal(15);
        await process.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System);
        return process.ExitCode;
    }

    /// <summary>Waits until <c>/status</c> is as wanted, and returns it.</summary>
    public async Task<JsonElement> StatusAsync(Func<JsonElement, bool> wanted)
    {
        var text = "";
        using var timeout = new CancellationTokenSource(Patience);
        while (!timeout.IsCancellationRequested)
        {
            try
            {
                text = await http.GetStringAsync(new Uri("/status", UriKind.Relative), timeout.Token);
                if (JsonDocument.Parse(text).RootElement is var status && wanted(status))
                    return status;
            }
            catch (HttpRequestException) when (!process.HasExited)
            {
                // It has only just started.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
        }
        throw new TimeoutException($"The agent's status did not become what was waited for: {text}\n{Log}");
    }

    public Task<string> MetricsAsync() => http.GetStringAsync(new Uri("/metrics", UriKind.Relative));

    public void Dispose()
    {
        if (!process.HasExited)
            Kill();
        process.Dispose();
        http.Dispose();
    }

    void Signal(int signal)
    {
        if (SendSignal(process.Id, signal) != 0)
            throw new InvalidOperationException($"kill -{signal} {process.Id} failed with errno {Marshal.GetLastPInvokeError()}.");
    }

    void Keep(string? line)
    {
        lock (log)
            log.AppendLine(line);
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SendSignal(int process, int signal);
}
