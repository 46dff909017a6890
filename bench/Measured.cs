using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace ThermalStreaming.Bench;

/// <summary>A process that is watched through /proc. It ends with the run.</summary>
sealed class Measured : IDisposable
{
    static readonly double ticksPerSecond = 100;

    readonly Process process;
    readonly HttpClient client = new() { Timeout = TimeSpan.FromSeconds(5) };

    public Measured(string dll, string[] arguments, Dictionary<string, string> environment, string log)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(dll);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (key, value) in environment)
            start.Environment[key] = value;
        process = Process.Start(start)!;
        var writer = TextWriter.Synchronized(File.CreateText(log));
        process.OutputDataReceived += (_, e) => writer.WriteLine(e.Data);
        process.ErrorDataReceived += (_, e) => writer.WriteLine(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int ExitCode()
    {
        process.WaitForExit();
        return process.ExitCode;
    }

    /// <summary>User and system time used so far.</summary>
    public TimeSpan Processor()
    {
        var fields = File.ReadAllText($"/proc/{process.Id}/stat");
        var rest = fields[(fields.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromSeconds((long.Parse(rest[11], CultureInfo.InvariantCulture) + long.Parse(rest[12], CultureInfo.InvariantCulture)) / ticksPerSecond);
    }

    /// <summary>Largest resident set so far, bytes.</summary>
    public long PeakResident() => Field("status", "VmHWM:") * 1024;

    /// <summary>Memory that would come back if it ended, bytes: what idle costs beside what all services share.</summary>
    public long Private() => (Field("smaps_rollup", "Private_Clean:") + Field("smaps_rollup", "Private_Dirty:")) * 1024;

    /// <summary>Bytes it has caused to be written to the disk.</summary>
    public long Written() => Field("io", "write_bytes:");

    public async Task<JsonElement> StatusAsync(int port)
    {
        using var document = JsonDocument.Parse(await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/status")));
        return document.RootElement.Clone();
    }

    public async Task<double> MetricAsync(int port, string name)
    {
        var text = await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"));
        return text.Split('\n').Where(line => line.StartsWith(name + " ", StringComparison.Ordinal)).Sum(line => double.Parse(line[(name.Length + 1)..], CultureInfo.InvariantCulture));
    }

    public async Task ReadyAsync(int port, string path = "/readyz")
    {
        for (var attempt = 0; attempt < 600; attempt++)
        {
            if (process.HasExited)
                throw new InvalidOperationException($"{process.StartInfo.ArgumentList[0]} ended with {process.ExitCode}");
            try
            {
                using var response = await client.GetAsync(new Uri($"http://127.0.0.1:{port}{path}"));
                if (response.IsSuccessStatusCode)
                    return;
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
        throw new TimeoutException($"{process.StartInfo.ArgumentList[0]} was not ready within a minute");
    }

    public void Dispose()
    {
        client.Dispose();
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }
        process.Dispose();
    }

    long Field(string file, string name)
        => File.ReadLines($"/proc/{process.Id}/{file}").Where(line => line.StartsWith(name, StringComparison.Ordinal))
            .Select(line => long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture)).FirstOrDefault();
}
