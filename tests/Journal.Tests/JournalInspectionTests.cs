using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>Looking at the files of a journal while a service has it open.</summary>
public sealed class JournalInspectionTests : IDisposable
{
    readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task A_segment_that_the_service_deletes_meanwhile_is_no_damage()
    {
        using (
            var journal = DurableJournal.Open(
                new JournalOptions { Directory = directory.Path, FreeSpaceReserveBytes = 0 },
                TimeProvider.System,
                NullLogger.Instance
            )
        )
            journal.Commit(await journal.AppendAsync([new JournalRecord("reading"u8.ToArray(), 1)], CancellationToken.None) + 1);
        var inspection = new JournalInspection(directory.Path);
        Assert.True(inspection.Cursor?.Next > 0);

        File.Delete(Assert.Single(Directory.GetFiles(directory.Path, "*" + Segment.Extension)));

        Assert.Empty(inspection.Read());
        Assert.Empty(inspection.Problems);
    }
}
