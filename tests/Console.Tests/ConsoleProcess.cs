using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Console.Tests;

/// <summary>A real console in a process of its own.</summary>
sealed class ConsoleProcess : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly ProcessStartInfo start;
    readonly StringBuilder log = new();
    Process process;

    public ConsoleProcess(string dataDirectory, int brokerPort, params (string Key, string Value)[] settings)
    {
        start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.Console.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        (string, string)[] defaults =
        [
            ("HTTP_PORT", $"{Ports.Take()}"),
            ("CONSOLE_PORT", $"{Port}"),
            ("DATA_DIRECTORY", dataDirectory),
            ("MQTT_HOST", "127.0.0.1"),
            ("MQTT_PORT", $"{brokerPort}"),
            ("CONSOLE_AGENTS", "none"),
            ("CONSOLE_SNOWPIPE_FORWARDERS", "none"),
            ("CONSOLE_S3_FORWARDERS", "none"),
        ];
        foreach (var (key, value) in defaults.Concat(settings))
            start.Environment[key] = value;
        process = Run();
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Page, Timeout = Patience };
    }

    /// <summary>Of the page.</summary>
    public int Port { get; } = Ports.Take();

    public Uri Page => new($"http://127.0.0.1:{Port}");

    public HttpClient Http { get; }

    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    /// <summary>Waits until the page is served.</summary>
    public async Task ReadyAsync()
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                using var answer = await Http.GetAsync(new Uri("/", UriKind.Relative), timeout.Token);
                if (answer.StatusCode == HttpStatusCode.OK)
                    return;
            }
            catch (HttpRequestException) when (!process.HasExited)
            {
                // It has only just started.
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"The console does not serve its page: {e.Message}\n{Log}", e);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
        }
    }

    /// <summary>Waits until what the page is sent has a text.</summary>
    public async Task ShowsAsync(string text)
    {
        using var timeout = new CancellationTokenSource(Patience);
        var seen = new StringBuilder();
        try
        {
            await using var events = await Http.GetStreamAsync(new Uri("/events", UriKind.Relative), timeout.Token);
            using var lines = new StreamReader(events);
            while (await lines.ReadLineAsync(timeout.Token) is { } line)
            {
                if (line.Contains(text, StringComparison.Ordinal))
                    return;
                seen.AppendLine(line);
            }
        }
        catch (OperationCanceledException)
        {
            // Said below.
        }
        throw new TimeoutException($"The page was not sent '{text}', but:\n{seen}\n{Log}");
    }

    /// <summary>Gives a command as the page does.</summary>
    public async Task<HttpResponseMessage> CommandAsync(string command, string body, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/{command}")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        return await Http.SendAsync(request);
    }

    /// <summary>kill -9, and waits for its end.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    /// <summary>SIGTERM, as a container engine sends it.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        if (SendSignal(process.Id, 15) != 0)
            throw new InvalidOperationException($"kill -15 {process.Id} failed with errno {Marshal.GetLastPInvokeError()}.");
        await process.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System);
        return process.ExitCode;
    }

    /// <summary>Starts it again after its end, with the same settings.</summary>
    public void StartAgain()
    {
        process.Dispose();
        process = Run();
    }

    public void Dispose()
    {
        if (!process.HasExited)
            Kill();
        process.Dispose();
        Http.Dispose();
    }

    Process Run()
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

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SendSignal(int process, int signal);
}
