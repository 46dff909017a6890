using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ThermalStreaming.Testing;

/// <summary>
/// The broker as it is shipped: the scripts and the configuration of <c>mosquitto/</c>, with other directories and ports, and everything
/// that the container gives it. What the tests find here holds for the container as far as the container only adds walls.
/// </summary>
public sealed class ShippedBroker : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    static readonly string[] users = ["sensor-agent", "snowpipe-forwarder", "s3-forwarder", "console", "publisher", "cli"];

    readonly TempDirectory directory = new();
    readonly Queue<string> log = new();
    readonly Dictionary<string, string?> environment = [];
    Process? process;

    ShippedBroker() { }

    /// <summary>The plain listener, on 127.0.0.1.</summary>
    public int Port { get; } = Ports.Take();

    /// <summary>The TLS listener.</summary>
    public int TlsPort { get; } = Ports.Take();

    int AdministrationPort { get; } = Ports.Take();

    /// <summary>The authority of its certificate.</summary>
    public string CaFile => Auth("ca.crt");

    /// <summary>Where sessions and queued messages are saved.</summary>
    public string DatabaseFile => directory.File("data/mosquitto.db");

    /// <summary>The installation's identity, part of the forwarders' client ids.</summary>
    public string Installation => File.ReadAllText(directory.File("credentials/sensor-agent/installation")).Trim();

    /// <summary>Its last lines of log.</summary>
    public IReadOnlyList<string> Log
    {
        get
        {
            lock (log)
                return [.. log];
        }
    }

    /// <summary>Runs <c>setup</c> and then the broker, and waits until it passes its own health check.</summary>
    /// <param name="settings">Environment variables of <c>setup</c> and <c>broker</c>.</param>
    public static async Task<ShippedBroker> StartAsync(params (string Key, string Value)[] settings)
    {
        var broker = new ShippedBroker();
        try
        {
            broker.Configure(settings);
            await broker.SetUpAsync();
            await broker.StartAgainAsync();
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Name and password of a forwarder's slot, whose client id is the same.</summary>
    public (string User, string Password) Slot(string service, int number) =>
        ($"{service}-{Installation}-slot-{number}", Password(service));

    /// <summary>The password of one of the users that Compose has.</summary>
    public string Password(string user) => File.ReadAllText(PasswordFile(user)).Trim();

    /// <summary>The file in the user's volume.</summary>
    public string PasswordFile(string user) => directory.File($"credentials/{user}/password");

    /// <summary>Empties a volume. The broker must be stopped.</summary>
    /// <param name="name"><c>authority</c>, <c>auth</c>, <c>data</c> or <c>credentials/USER</c>.</param>
    public void LoseVolume(string name)
    {
        Directory.Delete(directory.File(name), recursive: true);
        Directory.CreateDirectory(directory.File(name));
    }

    /// <summary><c>setup</c>, as it runs at each start of the project.</summary>
    public async Task SetUpAsync(params (string Key, string Value)[] settings)
    {
        foreach (var (key, value) in settings)
            environment[key] = value;
        (await RunAsync(Program, ["setup"])).OrThrow();
    }

    public async Task<ToolResult> SetUpAsync(string verb, params string[] arguments) =>
        await RunAsync(Program, ["setup", verb, .. arguments]);

    /// <summary>Makes a user for a device and gives it to the running broker, as <c>./up --enroll</c> does.</summary>
    /// <param name="device">Its name.</param>
    /// <param name="renew">Whether it gets a new password.</param>
    /// <param name="mapping">The mapping whose gateway it is.</param>
    /// <returns>The password.</returns>
    public async Task<string> EnrollAsync(string device, bool renew = false, string? mapping = null)
    {
        string[] arguments = [device, .. renew ? ["renew"] : (string[])[], .. mapping is null ? (string[])[] : ["--mapping", mapping]];
        var answer = (await SetUpAsync("enroll", arguments)).OrThrow().Output.Split('\n');
        (await BrokerAsync(answer[1], "apply")).OrThrow();
        return answer[0];
    }

    /// <summary>
    /// Makes a new password for a service's user and gives it to the running broker, as <c>./up --rotate-password</c> does.
    /// </summary>
    /// <returns>The password.</returns>
    public async Task<string> RotateAsync(string user)
    {
        var answer = (await SetUpAsync("rotate", user)).OrThrow().Output.Split('\n');
        (await BrokerAsync(answer[1], "apply")).OrThrow();
        return answer[0];
    }

    public async Task RevokeAsync(string device) =>
        (await BrokerAsync((await SetUpAsync("revoke", device)).OrThrow().Output, "apply")).OrThrow();

    /// <summary>A verb of the broker's script.</summary>
    public Task<ToolResult> BrokerAsync(string input, params string[] arguments) =>
        RunAsync("/bin/sh", [Script("broker"), .. arguments], input);

    /// <summary>A tool of Mosquitto's, as an MQTT 5 client on the plain listener.</summary>
    public Task<ToolResult> ToolAsync(string program, string user, string password, params IReadOnlyList<string> arguments) =>
        RunAsync(program, ["-h", "127.0.0.1", "-p", $"{Port}", "-V", "5", "-u", user, "-P", password, "-d", .. arguments]);

    /// <summary>
    /// The reason code of the PUBACK for a message; negative, that of the refused connection; or <see cref="MqttNetClient.NothingSent"/>.
    /// </summary>
    public async Task<int> PublishAsync(string user, string password, string topic, byte[]? payload = null)
    {
        await using var client = new MqttNetClient();
        return await client.ConnectAsync(Port, "", user, password) is var refusal and not 0
            ? -refusal
            : await client.PublishAsync(topic, payload ?? [(byte)'x']);
    }

    /// <summary>The reason code of the SUBACK for a filter; negative, that of the refused connection.</summary>
    public async Task<int> SubscribeAsync(string user, string password, string filter)
    {
        await using var client = new MqttNetClient();
        return await client.ConnectAsync(Port, "", user, password) is var refusal and not 0
            ? -refusal
            : await client.SubscribeAsync(filter);
    }

    public async Task StartAgainAsync()
    {
        process = Start("/bin/sh", [Script("broker")]);
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        var started = TimeProvider.System.GetTimestamp();
        while ((await BrokerAsync("", "healthy")).ExitCode != 0)
        {
            if (process.HasExited || TimeProvider.System.GetElapsedTime(started) > Patience)
                throw new InvalidOperationException($"The broker does not start:\n{string.Join('\n', Log)}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    /// <summary>SIGTERM, as a container engine sends it.</summary>
    public async Task StopAsync()
    {
        if (SendSignal(process!.Id, 15) != 0)
            throw new InvalidOperationException($"kill {process.Id} failed with errno {Marshal.GetLastPInvokeError()}.");
        await process.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System);
    }

    /// <summary>The process id of Mosquitto itself.</summary>
    public int MosquittoId =>
        Directory
            .GetDirectories("/proc")
            .Select(path => Path.GetFileName(path))
            .Where(name => name.All(char.IsAsciiDigit))
            .Single(id => Read($"/proc/{id}/cmdline").Contains($"{directory.File("run")}/mosquitto.conf", StringComparison.Ordinal))
            is { } found
            ? int.Parse(found, System.Globalization.CultureInfo.InvariantCulture)
            : 0;

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
        process?.Dispose();
        directory.Dispose();
    }

    string Auth(string name) => directory.File($"auth/{name}");

    /// <summary>A script, under the name that it has in the image.</summary>
    string Script(string name) => directory.File($"bin/{name}");

    /// <summary>The program whose verb <c>setup</c> makes users and certificates. Test projects that use the broker refer to it.</summary>
    static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.Thermalctl");

    static string Root { get; } = FindRoot();

    static string FindRoot()
    {
        var found = new DirectoryInfo(AppContext.BaseDirectory);
        while (found is not null && !File.Exists(Path.Combine(found.FullName, "ThermalStreaming.slnx")))
            found = found.Parent;
        return found?.FullName
            ?? throw new InvalidOperationException($"No directory above {AppContext.BaseDirectory} holds ThermalStreaming.slnx.");
    }

    void Configure((string Key, string Value)[] settings)
    {
        foreach (
            var name in users
                .Select(user => $"credentials/{user}")
                .Append("auth")
                .Append("authority")
                .Append("data")
                .Append("run")
                .Append("bin")
        )
            Directory.CreateDirectory(directory.File(name));
        foreach (var (source, name) in new[] { ("broker.sh", "broker"), ("restore-subscriptions.sh", "restore-subscriptions") })
            File.Copy(Path.Combine(Root, "mosquitto", source), Script(name));
        var plugin =
            Directory
                .GetDirectories("/usr/lib")
                .Prepend("/usr/lib")
                .Select(path => Path.Combine(path, "mosquitto_dynamic_security.so"))
                .FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("There is no mosquitto_dynamic_security.so: apt-get install mosquitto");
        var configuration = File.ReadAllText(Path.Combine(Root, "mosquitto", "mosquitto.conf"))
            .Replace("/usr/lib/mosquitto_dynamic_security.so", plugin, StringComparison.Ordinal)
            .Replace("/tmp/broker/", directory.File("run") + "/", StringComparison.Ordinal)
            .Replace("/mosquitto/auth/", directory.File("auth") + "/", StringComparison.Ordinal)
            .Replace("/mosquitto/data/", directory.File("data") + "/", StringComparison.Ordinal)
            .Replace("listener 1883\n", $"listener {Port} 127.0.0.1\n", StringComparison.Ordinal)
            .Replace("listener 8883\n", $"listener {TlsPort} 127.0.0.1\n", StringComparison.Ordinal)
            .Replace("listener 1880 ", $"listener {AdministrationPort} ", StringComparison.Ordinal);
        // Started by root, mosquitto would change to a user who cannot read the test's files.
        if (Environment.IsPrivilegedProcess)
            configuration = "user root\n" + configuration;
        File.WriteAllText(directory.File("mosquitto.conf"), configuration);
        foreach (
            var (key, value) in new[]
            {
                ("PATH", Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin"),
                ("MOSQUITTO_AUTH", directory.File("auth")),
                ("MOSQUITTO_AUTHORITY", directory.File("authority")),
                ("MOSQUITTO_DATA", directory.File("data")),
                ("MQTT_CREDENTIALS", directory.File("credentials")),
                ("MOSQUITTO_RUN", directory.File("run")),
                ("MOSQUITTO_CONFIG", directory.File("mosquitto.conf")),
                ("MOSQUITTO_ADMINISTRATION_PORT", $"{AdministrationPort}"),
                ("MOSQUITTO_WATCH_SECONDS", "1"),
                ("DEVICE_ID", "pi"),
            }.Concat(settings)
        )
        {
            environment[key] = value;
        }
    }

    async Task<ToolResult> RunAsync(string program, IReadOnlyList<string> arguments, string input = "")
    {
        using var tool = Start(program, arguments);
        using var timeout = new CancellationTokenSource(Patience);
        var output = tool.StandardOutput.ReadToEndAsync(timeout.Token);
        var error = tool.StandardError.ReadToEndAsync(timeout.Token);
        await tool.StandardInput.WriteAsync(input);
        tool.StandardInput.Close();
        await tool.WaitForExitAsync(timeout.Token);
        return new ToolResult(tool.ExitCode, (await output).TrimEnd('\n'), await error);
    }

    Process Start(string program, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment)
            start.Environment[key] = value;
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"{program} cannot be started: apt-get install mosquitto mosquitto-clients", e);
        }
    }

    void Keep(string? line)
    {
        lock (log)
        {
            if (line is not null)
                log.Enqueue(line);
        }
    }

    static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SendSignal(int process, int signal);
}
