using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Observability.Tests;

/// <summary>One of the project's programs in a process of its own, with a data directory of its own.</summary>
sealed class ServiceProcess : IDisposable
{
    static readonly TimeSpan patience = TimeSpan.FromMinutes(3);

    readonly TempDirectory directory = new();
    readonly Process process;
    readonly StringBuilder log = new();
    readonly HttpClient http;

    /// <param name="assembly">Of the program, without the project's name: <c>SensorAgent</c>.</param>
    /// <param name="settings">The environment.</param>
    public ServiceProcess(string assembly, params IEnumerable<(string Key, string Value)> settings)
    {
        Port = Ports.Take();
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, $"ThermalStreaming.{assembly}.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HTTP_PORT"] = $"{Port}";
        start.Environment["DATA_DIRECTORY"] = directory.Path;
        start.Environment["JOURNAL_FREE_RESERVE"] = "0";
        foreach (var (key, value) in settings)
            start.Environment[key] = value;
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{Port}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    /// <summary>HTTP_PORT.</summary>
    public int Port { get; }

    public int Id => process.Id;

    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    public Task<string> MetricsAsync() => http.GetStringAsync(new Uri("/metrics", UriKind.Relative));

    /// <summary>Waits until the metrics are as wanted, and returns them.</summary>
    public async Task<string> MetricsAsync(Func<string, bool> wanted, string what)
    {
        var text = "";
        await UntilAsync(async () => wanted(text = await MetricsAsync()), () => $"{what}\n{text}");
        return text;
    }

    /// <summary>Waits until the log has a text.</summary>
    public Task LogsAsync(string text) =>
        UntilAsync(() => Task.FromResult(Log.Contains(text, StringComparison.Ordinal)), () => $"the log does not say: {text}");

    /// <summary>SIGTERM, as a container engine sends it.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        if (SendSignal(process.Id, 15) != 0)
            throw new InvalidOperationException($"kill -15 {process.Id} failed with errno {Marshal.GetLastPInvokeError()}.");
        await process.WaitForExitAsync().WaitAsync(patience, TimeProvider.System);
        return process.ExitCode;
    }

    /// <summary>Waits for an end that it comes to by itself.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> ExitAsync()
    {
        await process.WaitForExitAsync().WaitAsync(patience, TimeProvider.System);
        return process.ExitCode;
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }
        process.Dispose();
        http.Dispose();
        directory.Dispose();
    }

    async Task UntilAsync(Func<Task<bool>> condition, Func<string> otherwise)
    {
        using var timeout = new CancellationTokenSource(patience);
        while (!timeout.IsCancellationRequested)
        {
            try
            {
                if (await condition())
                    return;
            }
            catch (HttpRequestException) when (!process.HasExited)
            {
                // It has only just started.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
        }
        throw new TimeoutException($"{otherwise()}\n{Log}");
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
