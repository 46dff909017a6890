using System.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace ThermalStreaming.Journal.Tests;

/// <summary>Short forms that the tests of this project share.</summary>
static class TestJournal
{
    public static readonly TimeSpan Ceiling = TimeSpan.FromSeconds(20);

    public static JournalOptions Options(string directory, long segmentBytes = 16 * 1024 * 1024) =>
        new()
        {
            Directory = directory,
            SegmentBytes = segmentBytes,
            FreeSpaceReserveBytes = 0,
        };

    public static DurableJournal Open(JournalOptions options, Disk? disk = null, TimeProvider? clock = null) =>
        DurableJournal.Open(options, clock ?? TimeProvider.System, NullLogger.Instance, disk ?? new Disk());

    public static JournalRecord Record(string text, int count = 1) => new(Encoding.UTF8.GetBytes(text), count);

    public static long Append(this DurableJournal journal, string text, int count = 1) =>
        journal.AppendAsync(Record(text, count)).AsTask().WaitAsync(Ceiling).GetAwaiter().GetResult();

    /// <summary>Everything that can be read now, as "offset+count:text".</summary>
    public static List<string> ReadAll(this DurableJournal journal, long from = 0)
    {
        using var reader = journal.OpenReader(from);
        List<string> entries = [];
        while (reader.TryRead(out var entry))
            entries.Add($"{entry.Offset}+{entry.Count}:{Encoding.UTF8.GetString(entry.Payload.Span)}");
        return entries;
    }
}
