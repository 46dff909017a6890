using System.Buffers.Text;
using System.Diagnostics.Metrics;

namespace ThermalStreaming.Hosting;

/// <summary>
/// The figures of this process that Prometheus' own clients show (<c>process_…</c>), from /proc/self, read at each request. Figures that
/// the kernel does not give are absent. Thread-safe.
/// </summary>
sealed class ProcessFigures
{
    // Of every Linux that .NET runs on (sysconf(3): _SC_CLK_TCK).
    const double TicksPerSecond = 100;

    // Of proc_pid_stat(5), counted from the state, which is the first behind the program's name.
    const int UserTime = 11;
    const int SystemTime = 12;
    const int StartTime = 19;
    const int VirtualMemory = 20;
    const int ResidentPages = 21;

    readonly string directory;
    readonly double? startTime;

    /// <param name="directory">/proc/self, or what stands in for it.</param>
    /// <param name="bootTime">When the machine started, in seconds since 1970.</param>
    public ProcessFigures(string directory, double bootTime)
    {
        this.directory = directory;
        startTime = Stat(StartTime) is { } ticks ? Math.Round(bootTime + ticks / TicksPerSecond, 2) : null;
    }

    /// <summary>Makes the instruments. Once.</summary>
    public void Publish(Meter meter)
    {
        Counter(
            "process.cpu",
            "s",
            "Processor time that this process has taken",
            () => (Stat(UserTime) + Stat(SystemTime)) / TicksPerSecond
        );
        Gauge("process.start_time", "s", "When this process started, seconds since 1970", () => startTime);
        Gauge("process.virtual_memory", "By", "Address space of this process", () => Stat(VirtualMemory));
        Gauge(
            "process.resident_memory",
            "By",
            "Memory of this process that is in RAM",
            () => Stat(ResidentPages) * Environment.SystemPageSize
        );
        Gauge("process.open_fds", null, "Files and sockets that this process has open", OpenFiles);
        Gauge("process.max_fds", null, "Files and sockets that it may have open", () => Named("limits", "Max open files"));
        Counter(
            "process.disk.read",
            "By",
            "Bytes that this process made the kernel read from a disk (/proc/self/io)",
            () => Named("io", "read_bytes:")
        );
        Counter(
            "process.disk.written",
            "By",
            "Bytes that this process made the kernel write to a disk, in whole pages (/proc/self/io)",
            () => Named("io", "write_bytes:")
        );

        void Gauge(string name, string? unit, string description, Func<double?> value) =>
            meter.CreateObservableGauge(name, () => Present(value()), unit, description);

        void Counter(string name, string unit, string description, Func<double?> value) =>
            meter.CreateObservableCounter(name, () => Present(value()), unit, description);

        static IEnumerable<Measurement<double>> Present(double? value) => value is { } number ? [new(number)] : [];
    }

    double? OpenFiles()
    {
        try
        {
            // Less one, because the directory itself is open while it is read.
            return Directory.EnumerateFileSystemEntries(Path.Combine(directory, "fd")).Count() - 1;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    double? Stat(int field)
    {
        var stat = Read("stat");
        // The program's name may hold blanks and parentheses.
        var rest = stat.AsSpan(stat.AsSpan().LastIndexOf((byte)')') + 1).TrimStart((byte)' ');
        for (; field > 0; field--)
        {
            if (rest.IndexOf((byte)' ') is not (>= 0 and var blank))
                return null;
            rest = rest[(blank + 1)..];
        }
        return Number(rest);
    }

    double? Named(string file, string name)
    {
        var text = Read(file);
        var at = text.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(name));
        return at < 0 ? null : Number(text.AsSpan(at + name.Length).TrimStart((byte)' '));
    }

    static double? Number(ReadOnlySpan<byte> text) => Utf8Parser.TryParse(text, out long number, out _) ? number : null;

    byte[] Read(string file)
    {
        try
        {
            return File.ReadAllBytes(Path.Combine(directory, file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
