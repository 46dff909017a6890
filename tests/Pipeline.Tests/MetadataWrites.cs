using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// Counts the pages of the file system's own blocks that processes make dirty, as the kernel's trace event tells them: their inode is the
/// block device itself. Needs root. The trace is an instance of its own, mounted where only this process sees it, and is gone at the end.
/// </summary>
sealed partial class MetadataWrites : IDisposable
{
    const string Script = """
        mount -t tracefs none /sys/kernel/tracing || exit 77
        trace=/sys/kernel/tracing/instances/idle-writes-$$
        mkdir "$trace" || exit 77
        trap 'rmdir "$trace"' EXIT
        echo 4096 >"$trace/buffer_size_kb"
        echo 1 >"$trace/options/event-fork"
        echo "$*" >"$trace/set_event_pid"
        echo 1 >"$trace/events/writeback/writeback_dirty_folio/enable"
        echo started
        read -r line
        echo 0 >"$trace/events/writeback/writeback_dirty_folio/enable"
        grep -oE 'bdi [0-9]+:[0-9]+: ino=[0-9]+' "$trace/trace"
        exit 0
        """;

    readonly Process process;

    MetadataWrites(Process process) => this.process = process;

    /// <summary>Begins to count.</summary>
    /// <param name="processes">And all threads and processes that they start.</param>
    /// <exception cref="InvalidOperationException">The kernel does not let itself be traced.</exception>
    public static MetadataWrites Start(IEnumerable<int> processes)
    {
        var threads = processes
            .Select(id => $"/proc/{id}/task")
            .Where(Directory.Exists)
            .SelectMany(Directory.GetDirectories)
            .Select(path => Path.GetFileName(path));
        var process = Process.Start(
            new ProcessStartInfo("unshare", ["-m", "sh", "-c", Script, "sh", .. threads])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            }
        )!;
        if (process.StandardOutput.ReadLine() != "started")
        {
            process.Dispose();
            throw new InvalidOperationException("The kernel's trace events cannot be read: run this as root on a kernel with tracefs.");
        }
        return new MetadataWrites(process);
    }

    /// <summary>Ends the count.</summary>
    /// <returns>Bytes of whole pages.</returns>
    public async Task<long> StopAsync()
    {
        await process.StandardInput.WriteLineAsync();
        var lines = (await process.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await process.WaitForExitAsync();
        return 4096 * lines.LongCount(IsOfDevice);
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
    }

    /// <summary>The inode of a block device's own pages is its number, as the kernel packs it.</summary>
    static bool IsOfDevice(string line)
    {
        var match = Event().Match(line);
        return match.Success && (Number(1) << 20 | Number(2)) == Number(3);

        long Number(int group) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("^bdi ([0-9]+):([0-9]+): ino=([0-9]+)$")]
    private static partial Regex Event();
}
