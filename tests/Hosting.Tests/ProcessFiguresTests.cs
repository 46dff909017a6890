using System.Diagnostics.Metrics;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Hosting.Tests;

/// <summary>The figures of a process, from files as proc(5) describes them.</summary>
public sealed class ProcessFiguresTests : IDisposable
{
    readonly TempDirectory proc = new();
    readonly Meter meter = new("process-figures-tests");

    public void Dispose()
    {
        meter.Dispose();
        proc.Dispose();
    }

    [Fact]
    public void They_are_read_from_proc()
    {
        // Fields 1 to 24 of proc_pid_stat(5): 14 and 15 are processor time, 22 the start, 23 and 24 memory.
        Write("stat", "42 (a (b) c) S 1 42 42 0 -1 4194560 1 2 3 4 250 50 7 8 20 0 12 0 6000 1073741824 2560 18446744073709551615 1\n");
        Write(
            "limits",
            "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 4096                 files     \n"
        );
        Write("io", "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 8192\nwrite_bytes: 40960\ncancelled_write_bytes: 0\n");
        for (var i = 0; i < 4; i++)
            Write($"fd/{i}", "");

        var figures = Read(bootTime: 1000);

        Assert.Equal(3, figures["process.cpu"]);
        Assert.Equal(1060, figures["process.start_time"]);
        Assert.Equal(1073741824, figures["process.virtual_memory"]);
        Assert.Equal(2560.0 * Environment.SystemPageSize, figures["process.resident_memory"]);
        Assert.Equal(3, figures["process.open_fds"]);
        Assert.Equal(1024, figures["process.max_fds"]);
        Assert.Equal(8192, figures["process.disk.read"]);
        Assert.Equal(40960, figures["process.disk.written"]);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("42 (cut")]
    [InlineData("42 (cut) S 1 42")]
    public void What_the_kernel_does_not_say_is_absent(string? stat)
    {
        if (stat is not null)
            Write("stat", stat);

        Assert.Empty(Read(bootTime: 0));
    }

    Dictionary<string, double> Read(double bootTime)
    {
        new ProcessFigures(proc.Path, bootTime).Publish(meter);
        var figures = new Dictionary<string, double>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => figures.Add(instrument.Name, value));
        listener.Start();
        listener.RecordObservableInstruments();
        return figures;
    }

    void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(proc.File(file))!);
        File.WriteAllText(proc.File(file), text);
    }
}
