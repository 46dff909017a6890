using System.Globalization;
using System.Runtime.InteropServices;

namespace ThermalStreaming.Hosting;

/// <summary>
/// Releases memory that a start or a flood has left behind: garbage, which a service with little to do never collects, and pages of
/// libraries, many of which only the start needs. A pass takes some ten milliseconds. For one thread.
/// </summary>
/// <remarks>
/// Pages of a library are dropped from this process only. A page that is touched again comes from the page cache without reading the disk,
/// unless the kernel needed the memory. Mappings that could be harmed are left alone: those that the process may write, those that it has
/// changed (relocations are private copies, lost when dropped), and those that were not there at the last pass, because only a permanently
/// loaded mapping is sure to stay the same between check and call.
/// </remarks>
sealed partial class MemoryTrim
{
    const int DontNeed = 4; // MADV_DONTNEED

    // Before and right after the parts of a service start, because the memory of the start adds to that of a load that begins at once;
    // again when everything that a running service uses has run once; then every minute, because idle services collect nothing.
    static readonly TimeSpan[] afterStart =
    [
        TimeSpan.Zero,
        TimeSpan.FromSeconds(0.5),
        TimeSpan.FromSeconds(2),
        TimeSpan.FromSeconds(10),
        TimeSpan.FromSeconds(60),
    ];
    static readonly TimeSpan between = TimeSpan.FromMinutes(1);

    HashSet<Mapping> known = [];

    /// <summary>Makes passes until <paramref name="stop"/>.</summary>
    public static async Task RunAsync(TimeProvider clock, CancellationToken stop)
    {
        var trim = new MemoryTrim();
        for (var pass = 0; ; pass++)
        {
            await Task.Delay(pass < afterStart.Length ? afterStart[pass] : between, clock, stop)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
                return;
            trim.Pass();
        }
    }

    public void Pass()
    {
        // First the heap: the collection itself runs through code and tables that nothing else needs.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (OperatingSystem.IsLinux())
            ReleaseFiles();
    }

    void ReleaseFiles()
    {
        HashSet<Mapping> now = [];
        try
        {
            Mapping? mapping = null;
            foreach (var line in File.ReadLines("/proc/self/smaps"))
            {
                if (char.IsAsciiHexDigitLower(line[0]))
                    mapping = Mapping.Parse(line);
                else if (
                    mapping is { } candidate
                    && line.StartsWith("Anonymous:", StringComparison.Ordinal)
                    && line.AsSpan(10).Trim() is "0 kB"
                    && now.Add(candidate)
                    && known.Contains(candidate)
                )
                    _ = Advise(candidate.Start, candidate.Length, DontNeed);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without /proc, nothing is released.
        }
        known = now;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);

    /// <summary>A mapping of a file that the process may only read or execute.</summary>
    readonly record struct Mapping(nint Start, nuint Length, string File)
    {
        /// <summary>proc(5): <c>7f01-7f02 r-xp 00000000 fe:00 1234   /usr/lib/libc.so.6</c>. Null for any other line.</summary>
        public static Mapping? Parse(string line)
        {
            var (dash, space) = (line.IndexOf('-'), line.IndexOf(' '));
            if (line[space + 1] != 'r' || line[space + 2] != '-' || line.IndexOf('/') is not (> 0 and var path))
                return null;
            var start = nint.Parse(line.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var end = nint.Parse(line.AsSpan(dash + 1, space - dash - 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return new(start, (nuint)(end - start), line[path..]);
        }
    }
}
