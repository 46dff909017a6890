using System.Diagnostics;
using System.Globalization;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>A real s3-forwarder in a process of its own, with a data directory of its own.</summary>
sealed class ForwarderProcess : IDisposable
{
    readonly TempDirectory directory = new();
    readonly Process process;
    readonly StringBuilder log = new();
    readonly HttpClient http;

    public ForwarderProcess(int brokerPort, Uri store, params (string Key, string Value)[] settings)
    {
        var port = Ports.Take();
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.S3Forwarder.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        (string, string)[] defaults =
        [
            ("HTTP_PORT", $"{port}"), ("DATA_DIRECTORY", directory.Path), ("MQTT_HOST", "127.0.0.1"), ("MQTT_PORT", $"{brokerPort}"), ("JOURNAL_FREE_RESERVE", "0"),
            ("S3_BUCKET", "readings"), ("S3_ENDPOINT_URL", store.AbsoluteUri), ("AWS_ACCESS_KEY_ID", FakeS3.AccessKeyId), ("AWS_SECRET_ACCESS_KEY", "secret"), ("BATCH_LINGER", "200ms"),
        ];
        foreach (var (key, value) in defaults.Concat(settings))
            start.Environment[key] = value;
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(10) };
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

    void Keep(string? line)
    {
        lock (log)
            log.AppendLine(line);
    }
}
