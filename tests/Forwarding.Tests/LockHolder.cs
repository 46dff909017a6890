using System.Diagnostics;
using System.Runtime.InteropServices;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>
/// Another process that has taken a file's lock and can be frozen: <c>flock</c>, which keeps the lock while <c>cat</c> reads what never
/// comes.
/// </summary>
sealed partial class LockHolder : IAsyncDisposable
{
    const int Continue = 18,
        Stop = 19;

    readonly Process process;

    LockHolder(Process process) => this.process = process;

    public int Id => process.Id;

    /// <summary>Waits for the lock.</summary>
    public static async Task<LockHolder> StartAsync(string path)
    {
        var holder = new LockHolder(
            Process.Start(
                new ProcessStartInfo("flock", ["-o", path, "cat"]) { RedirectStandardInput = true, RedirectStandardOutput = true }
            )!
        );
        // cat answers when the lock is taken.
        await holder.process.StandardInput.WriteLineAsync("held");
        await holder.process.StandardInput.FlushAsync();
        Assert.Equal("held", await holder.process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)));
        using var file = FileLock.Open(path);
        Assert.False(file.TryTake());
        return holder;
    }

    public void Freeze() => Assert.Equal(0, Kill(process.Id, Stop));

    public void Resume() => Assert.Equal(0, Kill(process.Id, Continue));

    /// <summary>Resumes it and lets it give the lock back.</summary>
    public async ValueTask DisposeAsync()
    {
        Resume();
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
