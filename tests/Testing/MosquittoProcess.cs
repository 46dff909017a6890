using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ThermalStreaming.Testing;

/// <summary>
/// A real Mosquitto on a free loopback port, with a configuration and a directory of its own. It ends with the test; nothing else on the
/// machine is touched.
/// </summary>
public sealed class MosquittoProcess : ITestBroker
{
    static readonly TimeSpan startTimeout = TimeSpan.FromSeconds(20);
    const int SignalStop = 19;
    const int SignalContinue = 18;
    readonly TempDirectory directory = new();
    readonly Queue<string> log = new();
    Process? process;

    MosquittoProcess() { }

    public int Port { get; private init; }

    public int TlsPort { get; private init; }

    /// <summary>Where it saves sessions and messages, if it does.</summary>
    public string DatabaseFile => directory.File("mosquitto.db");

    /// <summary>Its last lines of log.</summary>
    public string Log
    {
        get
        {
            lock (log)
                return string.Join('\n', log);
        }
    }

    /// <summary>Starts a broker and waits until it accepts connections.</summary>
    public static async Task<MosquittoProcess> StartAsync(BrokerSettings? settings = null)
    {
        settings ??= new BrokerSettings();
        var broker = new MosquittoProcess { Port = Ports.Take(), TlsPort = settings.Tls is null ? 0 : Ports.Take() };
        try
        {
            await broker.ConfigureAsync(settings);
            await broker.StartAgainAsync();
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it after <see cref="Kill"/>, with the same ports and files, and waits until it accepts connections.</summary>
    public async Task StartAgainAsync()
    {
        process = Run(Program("mosquitto"), ["-c", directory.File("mosquitto.conf")]);
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var timeout = new CancellationTokenSource(startTimeout);
        while (true)
        {
            if (process.HasExited)
            {
                // Waits for the rest of its log too.
                await process.WaitForExitAsync(timeout.Token);
                throw new InvalidOperationException($"mosquitto ended with code {process.ExitCode}:\n{Log}");
            }
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, Port, timeout.Token);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, timeout.Token);
            }
        }
    }

    /// <summary>kill -9, and waits for its end.</summary>
    public void Kill()
    {
        process!.Kill();
        process.WaitForExit();
    }

    public Task KillAsync()
    {
        Kill();
        return Task.CompletedTask;
    }

    /// <summary>Stops it in good order: it says goodbye to its clients and saves what it has.</summary>
    public async Task StopAsync()
    {
        Signal(15);
        await process!.WaitForExitAsync().WaitAsync(startTimeout, TimeProvider.System);
    }

    /// <summary>Freezes it: connections stay open and nothing answers, as with a cut network.</summary>
    public void Freeze() => Signal(SignalStop);

    public void Thaw() => Signal(SignalContinue);

    public ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
            Kill();
        process?.Dispose();
        directory.Dispose();
        return ValueTask.CompletedTask;
    }

    async Task ConfigureAsync(BrokerSettings settings)
    {
        List<string> lines =
        [
            "log_dest stdout",
            "log_type error",
            "log_type warning",
            "log_type notice",
            "log_type information",
            "per_listener_settings false",
            .. settings.Configuration,
            $"persistence {(settings.Persistence ? "true" : "false")}",
        ];
        if (settings.Persistence)
            lines.AddRange([$"persistence_location {directory.Path}/", "autosave_interval 1"]);
        // Started by root, mosquitto would change to a user who cannot read the test's files. For others the line is ignored.
        if (Environment.IsPrivilegedProcess)
            lines.Add("user root");
        if (settings.Users.Count == 0)
            lines.Add("allow_anonymous true");
        else
        {
            lines.AddRange(["allow_anonymous false", $"password_file {directory.File("passwords")}"]);
            await File.WriteAllTextAsync(directory.File("passwords"), "");
            foreach (var (user, password) in settings.Users)
            {
                using var hash = Run(Program("mosquitto_passwd"), ["-b", directory.File("passwords"), user, password]);
                await hash.WaitForExitAsync();
                if (hash.ExitCode != 0)
                    throw new InvalidOperationException($"mosquitto_passwd: {await hash.StandardError.ReadToEndAsync()}");
            }
        }
        if (settings.Acl.Count > 0)
        {
            await File.WriteAllLinesAsync(directory.File("acl"), settings.Acl);
            lines.Add($"acl_file {directory.File("acl")}");
        }
        lines.Add($"listener {Port} 127.0.0.1");
        if (settings.Tls is { } tls)
        {
            lines.AddRange([
                $"listener {TlsPort} 127.0.0.1",
                $"cafile {tls.CaFile}",
                $"certfile {tls.CertificateFile}",
                $"keyfile {tls.KeyFile}",
                $"require_certificate {(tls.RequireClientCertificate ? "true" : "false")}",
            ]);
        }
        await File.WriteAllLinesAsync(directory.File("mosquitto.conf"), lines);
    }

    static Process Run(string program, IReadOnlyList<string> arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException("mosquitto is not installed: apt-get install mosquitto", e);
        }
    }

    /// <summary>Debian puts the broker where only root's PATH looks.</summary>
    static string Program(string name) => File.Exists($"/usr/sbin/{name}") ? $"/usr/sbin/{name}" : name;

    void Keep(string? line)
    {
        lock (log)
        {
            if (line is not null)
                log.Enqueue(line);
            if (log.Count > 500)
                log.Dequeue();
        }
    }

    void Signal(int number)
    {
        if (SendSignal(process!.Id, number) != 0)
            throw new InvalidOperationException($"kill -{number} {process.Id} failed with errno {Marshal.GetLastPInvokeError()}.");
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SendSignal(int process, int signal);
}
