// There is no other system than Linux.
#pragma warning disable CA1416
using System.Diagnostics;
using System.Runtime.InteropServices;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// <c>./up</c> of this clone with a program in the place of Docker, which writes down how it was called. It has two running containers, two
/// volumes of the project and one without a name.
/// </summary>
sealed class FakeDocker : IDisposable
{
    const int Interrupt = 2;

    static readonly TimeSpan patience = TimeSpan.FromSeconds(60);

    readonly TempDirectory directory = new();

    public FakeDocker()
    {
        File.WriteAllText(
            directory.File("docker"),
            """
            #!/usr/bin/env bash
            echo "$*" >>"$FAKE_CALLS"
            case "$*" in
                *"buildx version"*) echo "buildx v0.30.0" ;;
                *version*) echo 29.0.0 ;;
                *"config --format json"*) echo '{"name":"fake"}' ;;
                *"--images"*) echo thermal-streaming/thermalctl:fake ;;
                *config*) echo 'name: fake' ;;
                "ps -q"*) cat "$FAKE_RUNNING" ;;
                "volume ls"*) printf '%s\n' "fake_mosquitto-authority mosquitto-authority" "0123456789abcdef " "fake_s3-forwarder-data s3-forwarder-data" ;;
                "run "*" backup "* | "run "*" restore "*)
                    [[ -z ${FAKE_WAITS-} ]] || { touch "$FAKE_WAITS"; sleep 60; }
                    exit "${FAKE_CODE:-0}" ;;
            esac
            """
        );
        File.SetUnixFileMode(directory.File("docker"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Running = ["one", "two"];
    }

    /// <summary>Ids of the containers that run.</summary>
    public IReadOnlyList<string> Running
    {
        set => File.WriteAllLines(directory.File("running"), value);
    }

    /// <summary>A directory that exists.</summary>
    public string Directory => directory.Path;

    /// <summary>How it was called, but for questions.</summary>
    public IReadOnlyList<string> Calls =>
        [
            .. File.ReadAllLines(directory.File("calls"))
                .Where(call =>
                    call.Split(' ')[0] is "run" or "stop" or "start"
                    || call.Contains(" stop", StringComparison.Ordinal)
                    || call.Contains(" run ", StringComparison.Ordinal)
                    || call.Contains(" up ", StringComparison.Ordinal)
                ),
        ];

    /// <summary>Runs <c>./up</c> to its end.</summary>
    /// <param name="code">What the program in the volumes ends with.</param>
    /// <param name="arguments">Of <c>./up</c>.</param>
    public async Task<(int Code, string Text)> UpAsync(int code, params string[] arguments)
    {
        using var up = Start(arguments, ("FAKE_CODE", $"{code}"));
        return await EndAsync(up);
    }

    /// <summary>Presses Ctrl+C while the program in the volumes is at work.</summary>
    public async Task<(int Code, string Text)> InterruptAsync(params string[] arguments)
    {
        var waits = directory.File("waits");
        using var up = Start(arguments, ("FAKE_WAITS", waits));
        await Until.TrueAsync("the program is at work", patience, () => Task.FromResult(File.Exists(waits)));
        // As a terminal does: to everything that was started in it.
        Assert.Equal(0, SendSignal(-up.Id, Interrupt));
        return await EndAsync(up);
    }

    public void Dispose() => directory.Dispose();

    Process Start(string[] arguments, (string Key, string Value) setting)
    {
        var start = new ProcessStartInfo("setsid", ["--wait", Path.Combine(PipelineProject.Root, "up"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{directory.Path}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["LOG_FILE"] = directory.File("log");
        start.Environment["FAKE_CALLS"] = directory.File("calls");
        start.Environment["FAKE_RUNNING"] = directory.File("running");
        start.Environment[setting.Key] = setting.Value;
        return Process.Start(start)!;
    }

    static async Task<(int Code, string Text)> EndAsync(Process up)
    {
        var said = up.StandardOutput.ReadToEndAsync();
        var errors = await up.StandardError.ReadToEndAsync().WaitAsync(patience, TimeProvider.System);
        await up.WaitForExitAsync();
        return (up.ExitCode, await said + errors);
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SendSignal(int process, int signal);
}
