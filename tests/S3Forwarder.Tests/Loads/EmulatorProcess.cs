using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using ThermalStreaming.SnowflakeEmulator.Tests;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>The emulator of Snowflake in a process of its own, with the project's SQL, over a bucket and a queue of this test.</summary>
sealed class EmulatorProcess : IDisposable
{
    public const string Account = "LOCAL-DEMO",
        User = "LOADS_USER";

    readonly Process process;
    readonly StringBuilder log = new();
    readonly HttpClient http;

    EmulatorProcess(Process process, Uri address)
    {
        this.process = process;
        Address = address;
        http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };
    }

    public Uri Address { get; }

    /// <param name="directory">Its own: data, keys (rsa.pub of <see cref="User"/>) and SQL.</param>
    /// <param name="store">The bucket "readings".</param>
    /// <param name="queue">The queue.</param>
    /// <param name="changeSql">Changes to the project's SQL.</param>
    public static async Task<EmulatorProcess> StartAsync(
        TempDirectory directory,
        Uri store,
        Uri queue,
        Func<string, string>? changeSql = null
    )
    {
        var sql = Directory.CreateDirectory(directory.File("sql")).FullName;
        // They are read in the order of their names.
        var number = 0;
        foreach (var file in (string[])["streaming/01_database.sql", "classic/01_table.sql", "classic/04_stage.sql", "classic/05_pipe.sql"])
        {
            var text = await File.ReadAllTextAsync(Find($"sql/{file}"));
            await File.WriteAllTextAsync(Path.Combine(sql, $"{++number:D2}.sql"), changeSql?.Invoke(text) ?? text);
        }
        Directory.CreateDirectory(directory.File("emulator"));
        var port = Ports.Take();
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.SnowflakeEmulator.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (
            var (key, value) in new (string, string)[]
            {
                ("EMULATOR_PORT", $"{port}"),
                ("EMULATOR_DATA", directory.File("emulator")),
                ("EMULATOR_SQL", sql),
                ("EMULATOR_KEYS", directory.File("keys")),
                ("EMULATOR_ACCOUNT", Account),
                ("S3_BUCKET", "readings"),
                ("S3_ENDPOINT_URL", store.AbsoluteUri),
                ("SQS_QUEUE", FakeAws.Queue),
                ("SQS_ENDPOINT_URL", queue.AbsoluteUri),
                ("AWS_ACCESS_KEY_ID", FakeS3.AccessKeyId),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
            }
        )
            start.Environment[key] = value;
        var emulator = new EmulatorProcess(Process.Start(start)!, new Uri($"http://127.0.0.1:{port}"));
        emulator.process.OutputDataReceived += (_, e) => emulator.Keep(e.Data);
        emulator.process.ErrorDataReceived += (_, e) => emulator.Keep(e.Data);
        emulator.process.BeginOutputReadLine();
        emulator.process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (await emulator.TryGetAsync("/healthz") is null)
        {
            Assert.False(emulator.process.HasExited, emulator.Log);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, limit.Token);
        }
        return emulator;
    }

    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    public static string Find(string path)
    {
        for (var at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            if (Path.Exists(Path.Combine(at, path)))
                return Path.Combine(at, path);
        }
        throw new FileNotFoundException(path);
    }

    /// <summary>Plans a fault.</summary>
    public async Task FaultAsync(JsonObject fault)
    {
        using var content = new StringContent(fault.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/emulator/faults", UriKind.Relative), content);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>How many planned faults were not met yet.</summary>
    public async Task<int> FaultsLeftAsync() => JsonNode.Parse((await TryGetAsync("/emulator/faults"))!)!.AsArray().Count;

    /// <summary>Rows of the table of inverter readings.</summary>
    public async Task<int> RowsAsync() =>
        (await TryGetAsync("/emulator/tables/INVERTER_DATA_RAW/rows?limit=100000"))!
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Length;

    /// <summary>Waits until the pipe has been done with so many files.</summary>
    public async Task LoadedAsync(int files)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (JsonNode.Parse((await TryGetAsync("/emulator/loads"))!)!.AsArray().Count < files)
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, limit.Token);
    }

    async Task<string?> TryGetAsync(string path)
    {
        try
        {
            return await http.GetStringAsync(new Uri(path, UriKind.Relative));
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    void Keep(string? line)
    {
        lock (log)
            log.AppendLine(line);
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
    }
}
