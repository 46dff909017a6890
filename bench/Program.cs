using System.Globalization;
using ThermalStreaming.Bench;

if (args is ["subscribe", var port])
    return await AcknowledgingSubscriber.RunAsync(int.Parse(port, CultureInfo.InvariantCulture));

var only = Array.IndexOf(args, "--only") is var at and >= 0 && at + 1 < args.Length ? args[at + 1].Split(',') : null;
var soak = Array.IndexOf(args, "--soak") is var soakAt and >= 0
    ? soakAt + 1 < args.Length && int.TryParse(args[soakAt + 1], CultureInfo.InvariantCulture, out var minutes) ? minutes : 10
    : 0;
var results = new Results();
var measurements = new Measurements(args[0], results, share: args.Contains("--short") ? 0.25 : 1);
try
{
    await measurements.ConditionsAsync();
    foreach (var (name, measure) in measurements.All)
    {
        if (only is null || only.Contains(name))
            await measure();
    }
<<<<<<< HEAD
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"rate {received / TimeProvider.System.GetElapsedTime(started).TotalSeconds}"));
    client.DiscardSessionOnStop = true;
    await stop.CancelAsync();
    await running;
    return 0;
=======
    if (soak > 0)
        await measurements.SoakAsync(TimeSpan.FromMinutes(soak));
>>>>>>> bench
}
catch (Exception e) when (e is TimeoutException or IOException or InvalidOperationException or System.ComponentModel.Win32Exception)
{
<<<<<<< HEAD
    static readonly string topic = Topics.Readings("raspberrypi", ReadingKind.Thermal);

    readonly int scale = options.Contains("--quick") ? 10 : 1;
    readonly List<(string Name, double Value, string Unit, string Target, bool? Met)> results = [];
    readonly TempDirectory directory = new();

    public async Task<int> RunAsync()
    {
        var load = File.ReadAllText("/proc/loadavg").Split(' ')[0];
        var conditions = $"{Environment.ProcessorCount} cores shared by broker, publisher, forwarder and emulator; {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}; .NET {Environment.Version}; mosquitto {MosquittoVersion()}; load before the run {load}";
        Console.WriteLine(conditions);

        Keygen();
        var emulatorPort = FreePort();
        using var emulator = new Measured(Dll("SnowflakeEmulator"), [], new()
        {
            ["EMULATOR_PORT"] = $"{emulatorPort}",
            ["EMULATOR_DATA"] = Made("emulator"),
            ["EMULATOR_SQL"] = Path.Combine(root, "sql/streaming"),
            ["EMULATOR_KEYS"] = directory.File("keys"),
            ["EMULATOR_COMMIT_DELAY"] = "1s",
        }, directory.File("emulator.log"));
        await emulator.ReadyAsync(emulatorPort, "/healthz");

        foreach (var (name, measure) in new (string, Func<int, int, Task>)[]
        {
            ("protobuf", (broker, target) => SingleAsync(broker, target, isJson: false)),
            ("json", (broker, target) => SingleAsync(broker, target, isJson: true)),
            ("bulk", BulkAsync),
            ("wire", (broker, target) => WireAsync(broker, target, 10, 170)),
            ("wire", (broker, target) => WireAsync(broker, target, 100, 120)),
            ("idle", IdleAsync),
        })
        {
            if (Option("--only") is { } only && only != name)
                continue;
            // One of its own for each: a forwarder that was killed leaves a session that gets its share of the messages.
            await using var broker = await MosquittoProcess.StartAsync(new MosquittoSettings { Configuration = ["max_inflight_messages 1000", "max_queued_messages 1000000"] });
            await measure(broker.Port, emulatorPort);
        }

        Print();
        Write(conditions);
        return results.All(result => result.Met != false) ? 0 : 1;
    }

    public void Dispose() => directory.Dispose();

    async Task SingleAsync(int brokerPort, int emulatorPort, bool isJson)
    {
        var messages = 300_000 / scale;
        var format = isJson ? "JSON" : "protobuf";
        var payloads = isJson ? Payloads.Json("bench-json", 1, messages) : Payloads.Protobuf("bench-single", 1, messages, 1);
        var bytes = payloads.Average(payload => payload.Length);
        var baseRate = await BaseAsync(brokerPort, payloads, isJson);
        using var forwarder = await ForwarderAsync(brokerPort, emulatorPort, $"single-{format}", 2, out var port);
        var before = forwarder.Processor();
        var written = forwarder.Written();
        var rate = await StoredAsync(forwarder, port, brokerPort, payloads, isJson, messages);
        await SentAsync(forwarder, port, messages);
        var cpu = (forwarder.Processor() - before).TotalMicroseconds / messages;
        Add($"{format}, 1 per message ({bytes:0} bytes): acknowledge-only subscriber", baseRate, "messages/s", "", null);
        Add($"{format}, 1 per message: forwarder, fsynced and acknowledged", rate, "messages/s", "", null);
        Add($"{format}, 1 per message: forwarder over acknowledge-only", rate / baseRate, "ratio", "≥ 0.9", rate / baseRate >= 0.9);
        Add($"{format}, 1 per message: forwarder CPU, socket to HTTP", cpu, "µs/reading", "≤ 15", cpu <= 15);
        Add($"{format}, 1 per message: disk written per payload byte", (forwarder.Written() - written) / (bytes * messages), "ratio", "≤ 1.3", (forwarder.Written() - written) / (bytes * messages) <= 1.3);
        Add($"{format}, 1 per message: peak resident", forwarder.PeakResident() / 1e6, "MB", "≤ 90", forwarder.PeakResident() <= 90e6);
    }

    async Task BulkAsync(int brokerPort, int emulatorPort)
    {
        var messages = 20_000 / scale;
        var payloads = Payloads.Protobuf("bench-bulk", 1, messages, 100);
        var bytes = payloads.Average(payload => payload.Length);
        using var forwarder = await ForwarderAsync(brokerPort, emulatorPort, "bulk", 5, out var port);
        var before = forwarder.Processor();
        var written = forwarder.Written();
        var started = TimeProvider.System.GetTimestamp();
        await StoredAsync(forwarder, port, brokerPort, payloads, false, messages * 100L);
        await SentAsync(forwarder, port, messages * 100L);
        var rate = messages * 100L / TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var cpu = (forwarder.Processor() - before).TotalMicroseconds / (messages * 100L);
        Add("100 per message: readings into the emulator", rate, "readings/s", "≥ 100000", rate >= 100_000);
        Add("100 per message: forwarder CPU", cpu, "µs/reading", "≤ 6", cpu <= 6);
        Add("100 per message: disk written per payload byte", (forwarder.Written() - written) / (bytes * messages), "ratio", "≤ 1.3", (forwarder.Written() - written) / (bytes * messages) <= 1.3);
        Add("100 per message: peak resident", forwarder.PeakResident() / 1e6, "MB", "≤ 90", forwarder.PeakResident() <= 90e6);
        if (Option("--soak") is { } minutes)
            await SoakAsync(forwarder, port, brokerPort, int.Parse(minutes, CultureInfo.InvariantCulture));
    }

    async Task SoakAsync(Measured forwarder, int port, int brokerPort, int minutes)
    {
        var peak = forwarder.PeakResident();
        var started = TimeProvider.System.GetTimestamp();
        for (var round = 0; TimeProvider.System.GetElapsedTime(started).TotalMinutes < minutes; round++)
        {
            var payloads = Payloads.Protobuf($"soak-{round}", 1, 10_000, 100);
            var sent = (await forwarder.StatusAsync(port)).GetProperty("sent").GetInt64();
            await StoredAsync(forwarder, port, brokerPort, payloads, false, 0);
            await SentAsync(forwarder, port, sent + 1_000_000);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  soak {TimeProvider.System.GetElapsedTime(started).TotalMinutes:0.0} min, peak resident {forwarder.PeakResident() / 1e6:0.0} MB"));
        }
        var growth = forwarder.PeakResident() / (double)peak;
        Add($"peak resident after {minutes} min of load over the first", growth, "ratio", "≤ 1.1", growth <= 1.1);
    }

    async Task WireAsync(int brokerPort, int emulatorPort, int size, int target)
    {
        // So many readings a batch, because no batch may be larger.
        var payloads = Payloads.Protobuf($"wire-{size}", 1, 2000 / size, size);
        using var forwarder = await ForwarderAsync(brokerPort, emulatorPort, $"wire-{size}", 1, out var port, batch: size);
        await StoredAsync(forwarder, port, brokerPort, payloads, false, 2000);
        await SentAsync(forwarder, port, 2000);
        var sent = (await forwarder.StatusAsync(port)).GetProperty("bytes_sent").GetDouble() / 2000;
        Add($"wire to Snowflake, batches of {size}", sent, "bytes/reading", $"≤ {target}", sent <= target);
    }

    async Task IdleAsync(int brokerPort, int emulatorPort)
    {
        using var forwarder = await ForwarderAsync(brokerPort, emulatorPort, "idle", 1, out var port);
        var batches = Payloads.Protobuf("idle", 1, 8, 10);
        var fsyncs = await forwarder.MetricAsync(port, "thermal_forwarder_fsyncs_total");
        for (var i = 0; i < batches.Count; i++)
        {
            await StoredAsync(forwarder, port, brokerPort, [batches[i]], false, (i + 1) * 10);
            await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System);
        }
        var perBatch = (await forwarder.MetricAsync(port, "thermal_forwarder_fsyncs_total") - fsyncs) / batches.Count;
        Add("idle: private memory after batches of 10", forwarder.Private() / 1e6, "MB", "≤ 25", forwarder.Private() <= 25e6);
        Add("idle: fsyncs per published batch", perBatch, "", "≤ 1", perBatch <= 1);
    }

    static async Task<double> BaseAsync(int brokerPort, List<byte[]> payloads, bool isJson)
    {
        var start = new System.Diagnostics.ProcessStartInfo("dotnet", [Environment.GetCommandLineArgs()[0], "acknowledge", $"{brokerPort}", $"{payloads.Count}"]) { RedirectStandardOutput = true };
        using var process = System.Diagnostics.Process.Start(start)!;
        await process.StandardOutput.ReadLineAsync();
        Publish(brokerPort, payloads, isJson);
        var line = await process.StandardOutput.ReadLineAsync();
        await process.WaitForExitAsync();
        return double.Parse(line!["rate ".Length..], CultureInfo.InvariantCulture);
    }

    static void Publish(int brokerPort, IReadOnlyList<byte[]> payloads, bool isJson)
    {
        using var blaster = new Blaster(brokerPort);
        blaster.Publish(topic, isJson ? Payload.JsonContentType : Payload.ProtobufContentType, payloads);
    }

    /// <summary>Publishes; returns readings per second until so many are in the journal.</summary>
    static async Task<double> StoredAsync(Measured forwarder, int port, int brokerPort, IReadOnlyList<byte[]> payloads, bool isJson, long readings)
    {
        var started = TimeProvider.System.GetTimestamp();
        var publishing = Task.Run(() => Publish(brokerPort, payloads, isJson));
        await UntilAsync(forwarder, port, "stored", readings);
        var rate = readings / TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        await publishing;
        return rate;
    }

    static Task SentAsync(Measured forwarder, int port, long readings) => UntilAsync(forwarder, port, "sent", readings);

    static async Task UntilAsync(Measured forwarder, int port, string figure, long value)
    {
        var started = TimeProvider.System.GetTimestamp();
        while ((await forwarder.StatusAsync(port)).GetProperty(figure).GetInt64() is var now && now < value)
        {
            if (TimeProvider.System.GetElapsedTime(started) > TimeSpan.FromMinutes(1))
                throw new TimeoutException($"{figure} is {now}, not {value}, after a minute: {await forwarder.StatusAsync(port)}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    Task<Measured> ForwarderAsync(int brokerPort, int emulatorPort, string name, int slots, out int port, int batch = 0)
    {
        port = FreePort();
        var environment = new Dictionary<string, string>
        {
            ["DATA_DIRECTORY"] = Made(name),
            ["HTTP_PORT"] = $"{port}",
            ["MQTT_HOST"] = "127.0.0.1",
            ["MQTT_PORT"] = $"{brokerPort}",
            ["SNOWFLAKE_ACCOUNT"] = "LOCAL-DEMO",
            ["SNOWFLAKE_USER"] = "THERMAL_STREAMING_USER",
            ["SNOWFLAKE_DATABASE"] = "DEMO",
            ["SNOWFLAKE_SCHEMA"] = "DEMO",
            ["SNOWFLAKE_PIPE"] = "THERMAL_SENSOR_PIPE",
            ["SNOWFLAKE_URL"] = $"http://127.0.0.1:{emulatorPort}",
            ["SNOWFLAKE_PRIVATE_KEY_FILE"] = directory.File("keys/rsa_key.p8"),
            ["SLOTS"] = $"{slots}",
        };
        if (batch > 0)
            environment["BATCH_MAX_READINGS"] = $"{batch}";
        foreach (var line in DockerEnvironment())
            environment[line.Key] = line.Value;
        return StartAsync(environment, name, port);
    }

    async Task<Measured> StartAsync(Dictionary<string, string> environment, string name, int port)
    {
        var forwarder = new Measured(Dll("SnowpipeForwarder"), [], environment, directory.File($"{name}.log"));
        await forwarder.ReadyAsync(port);
        return forwarder;
    }

    /// <summary>The runtime's settings that every container gets: ENV DOTNET_… in the Dockerfile.</summary>
    IEnumerable<KeyValuePair<string, string>> DockerEnvironment()
        => File.ReadAllText(Path.Combine(root, "Dockerfile")).Split([' ', '\n', '\\'], StringSplitOptions.RemoveEmptyEntries)
            .Where(word => word.StartsWith("DOTNET_", StringComparison.Ordinal) && word.Contains('=', StringComparison.Ordinal) && !word.Contains("IMAGE", StringComparison.Ordinal))
            .Select(word => word.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], pair[1]));

    void Keygen()
    {
        Made("keys");
        using var keygen = new Measured(Dll("SnowpipeForwarder"), ["keygen", "--output", directory.File("keys/rsa_key.p8")], [], directory.File("keygen.log"));
        if (keygen.ExitCode() != 0)
            throw new InvalidOperationException(File.ReadAllText(directory.File("keygen.log")));
    }

    void Add(string name, double value, string unit, string target, bool? met)
    {
        results.Add((name, value, unit, target, met));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name,-76} {value,12:0.##} {unit,-14} {target,-10} {(met is null ? "" : met.Value ? "met" : "MISSED")}"));
    }

    void Print() => Console.WriteLine($"{results.Count(result => result.Met == true)} targets met, {results.Count(result => result.Met == false)} missed");

    void Write(string conditions)
    {
        using var file = File.Create(Path.Combine(root, "bench/results.json"));
        using var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true });
        json.WriteStartArray();
        foreach (var (name, value, unit, target, met) in results)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, name);
            json.WriteNumber("value"u8, Math.Round(value, 3));
            json.WriteString("unit"u8, unit);
            json.WriteString("target"u8, target);
            if (met is { } isMet)
                json.WriteBoolean("met"u8, isMet);
            else
                json.WriteNull("met"u8);
            json.WriteString("conditions"u8, conditions);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    string? Option(string name) => Array.IndexOf(options, name) is >= 0 and var at && at + 1 < options.Length ? options[at + 1] : null;

    string Dll(string project) => Path.Combine(bin, project, "release", $"ThermalStreaming.{project}.dll");

    string Made(string name) => Directory.CreateDirectory(directory.File(name)).FullName;

    static string MosquittoVersion()
    {
        var start = new System.Diagnostics.ProcessStartInfo("/usr/sbin/mosquitto", ["-h"]) { RedirectStandardOutput = true };
        using var process = System.Diagnostics.Process.Start(start)!;
        return process.StandardOutput.ReadToEnd().Split('\n')[0].Replace("mosquitto version", "", StringComparison.Ordinal).Trim();
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
=======
    Console.Error.WriteLine($"could not measure: {e.Message}");
    return 2;
>>>>>>> bench
}
results.Print();
results.Write(Path.Combine(args[0], "bench/results.json"));
return results.AllMet ? 0 : 1;
