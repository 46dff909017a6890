using System.Diagnostics;
using System.Globalization;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>A real s3-forwarder in a process of its own, with a data directory of its own.</summary>
sealed class ForwarderProcess : IDisposable
{
    readonly TempDirectory? own;
    readonly ProcessStartInfo start;
    Process process;
    readonly StringBuilder log = new();
    readonly HttpClient http;

    public ForwarderProcess(int brokerPort, Uri store, params (string Key, string Value)[] settings)
        : this(null, brokerPort, store, settings) { }

    /// <param name="dataDirectory">Outlives the process; null: one of its own.</param>
    /// <param name="brokerPort">Of the broker.</param>
    /// <param name="store">In place of S3.</param>
    /// <param name="settings">Beside the usual ones.</param>
    public ForwarderProcess(string? dataDirectory, int brokerPort, Uri store, (string Key, string Value)[] settings)
    {
        own = dataDirectory is null ? new TempDirectory() : null;
        dataDirectory ??= own!.Path;
        var port = Ports.Take();
        start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.S3Forwarder.dll")])
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
            ("JOURNAL_FREE_RESERVE", "0"),
            ("S3_BUCKET", "readings"),
            ("S3_ENDPOINT_URL", store.AbsoluteUri),
            ("AWS_ACCESS_KEY_ID", FakeS3.AccessKeyId),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("S3_BATCH_LINGER", "200ms"),
        ];
        foreach (var (key, value) in defaults.Concat(settings))
            start.Environment[key] = value;
        process = Start();
        http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(10) };
    }

    /// <summary>Kills the service, as a power cut does, and starts it again over the same data.</summary>
    public void KillAndStart()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
        process = Start();
    }

    /// <summary>Runs a verb beside the service, with its settings.</summary>
    public async Task<(int Code, string Output)> RunAsync(params string[] verb)
    {
        var own = new ProcessStartInfo("dotnet", [start.ArgumentList[0], .. verb])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in start.Environment)
            own.Environment[key] = value;
        using var running = Process.Start(own)!;
        var error = running.StandardError.ReadToEndAsync();
        var output = await running.StandardOutput.ReadToEndAsync();
        await running.WaitForExitAsync();
        return (running.ExitCode, output + await error);
    }

    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    /// <summary>Most memory that the process has had resident, in MiB.</summary>
    public int PeakMiB
    {
        get
        {
            var line = File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
        }
    }

    /// <summary>Asks a page; null when there is no answer.</summary>
    public async Task<string?> GetAsync(string path)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
            return await answer.Content.ReadAsStringAsync();
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    public bool HasExited => process.HasExited;

    /// <summary>kill -9, and waits for its end.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
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
        own?.Dispose();
    }

    Process Start()
    {
        var started = Process.Start(start)!;
        started.OutputDataReceived += (_, e) => Keep(e.Data);
        started.ErrorDataReceived += (_, e) => Keep(e.Data);
        started.BeginOutputReadLine();
        started.BeginErrorReadLine();
        return started;
    }

    void Keep(string? line)
    {
        lock (log)
            log.AppendLine(line);
    }
}
