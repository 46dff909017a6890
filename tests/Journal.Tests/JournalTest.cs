using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>A directory, a clock and a log, for the tests of a class.</summary>
public abstract class JournalTest : IDisposable
{
    private protected readonly TempDirectory temp = new();
    private protected readonly FakeTimeProvider clock = new();
    private protected readonly FakeLogger log = new();

    public void Dispose() => temp.Dispose();

    private protected DurableJournal Open(JournalOptions options, Disk? disk = null)
    {
        options.Directory = temp.Path;
        options.FreeSpaceReserveBytes = 0;
        return DurableJournal.Open(options, clock, log, disk ?? new Disk());
    }

    private protected static List<long> Offsets(DurableJournal journal)
    {
        using var reader = journal.OpenReader(0);
        List<long> offsets = [];
        while (reader.TryRead(out var entry))
            offsets.Add(entry.Offset);
        return offsets;
    }

    private protected static void Damage(string path, long position)
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Position = position;
        file.WriteByte(1);
    }

    /// <summary>The first two of four readings become zeros, their lengths and counts included.</summary>
    protected void MakeHole(JournalOptions options)
    {
        using (var journal = Open(options))
        {
            for (var i = 0; i < 4; i++)
                journal.Append(new string((char)('a' + i), 100));
        }

        using var file = File.Open(Segment.List(temp.Path)[0].Path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = SegmentHeader.Bytes + 100;
        file.Write(new byte[100]);
    }
}
