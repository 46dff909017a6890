using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>Real file systems that cannot be written: what is stored is read, appends wait.</summary>
public sealed class DiskStateTests : IDisposable
{
    readonly TempDirectory temp = new();

    public void Dispose() => temp.Dispose();

    [MountFact]
    public void A_journal_on_a_full_disk_is_opened_read_and_committed_and_takes_appends_when_there_is_space()
    {
        using var disk = new SmallFileSystem(temp.File("small"), megabytes: 2);
        var options = TestJournal.Options(Path.Combine(disk.Path, "journal"), 64 * 1024);
        Make(options);
        var ballast = disk.Fill();

        Task<long> append;
        using (var journal = TestJournal.Open(options))
        {
            Assert.Equal(40, journal.ReadAll().Count);
            // The last block of the segment may have room for a little.
            append = journal.AppendAsync(new JournalRecord(new byte[20_000])).AsTask();
            Assert.True(SpinWait.SpinUntil(() => journal.IsFull, TestJournal.Ceiling));
            journal.Commit(3, durable: true);
            journal.Commit(4, durable: true);
            File.Delete(ballast);
            Assert.Equal(40, append.WaitAsync(TestJournal.Ceiling).GetAwaiter().GetResult());
        }

        disk.Fill();
        using (var journal = TestJournal.Open(options))
            Assert.Equal((4L, 41), (journal.CommittedOffset, journal.ReadAll().Count));
    }

    [MountFact]
    public void A_journal_with_an_interrupted_append_is_opened_on_a_full_disk_and_delivery_frees_the_space()
    {
        using var disk = new SmallFileSystem(temp.File("small"), megabytes: 2);
        var options = TestJournal.Options(Path.Combine(disk.Path, "journal"), 16 * 1024);
        Make(options);
        File.AppendAllText(Segment.List(options.Directory)[^1].Path, "torn");
        disk.Fill();

        using var journal = TestJournal.Open(options);
        Assert.Equal(40, journal.ReadAll().Count);
        var append = journal.AppendAsync(new JournalRecord(new byte[20_000])).AsTask();
        Assert.True(SpinWait.SpinUntil(() => journal.IsFull, TestJournal.Ceiling));
        // Delivered segments go although nothing can be written, and the append gets their place.
        journal.Commit(39);

        Assert.True(append.WaitAsync(TestJournal.Ceiling).GetAwaiter().GetResult() >= 40);
        Assert.Equal(0, journal.LostReadings);
    }

    [MountFact]
    public void A_journal_on_a_read_only_disk_is_opened_and_read_and_takes_appends_when_it_is_writable_again()
    {
        using var disk = new SmallFileSystem(temp.File("small"), megabytes: 2);
        var options = TestJournal.Options(Path.Combine(disk.Path, "journal"), 64 * 1024);
        Make(options);
        Assert.True(disk.TryRemount(readOnly: true));

        Task<long> append;
        using (var journal = TestJournal.Open(options))
        {
            Assert.Equal(40, journal.ReadAll().Count);
            append = journal.AppendAsync(TestJournal.Record("waits")).AsTask();
            Assert.True(SpinWait.SpinUntil(() => journal.IsFull, TestJournal.Ceiling));
            Assert.Contains("ead-only", journal.FullReason, StringComparison.Ordinal);
            journal.Commit(5);
            Assert.Equal(5, journal.CommittedOffset);
            Assert.True(disk.TryRemount(readOnly: false));
            Assert.Equal(40, append.WaitAsync(TestJournal.Ceiling).GetAwaiter().GetResult());
            journal.Commit(6, durable: true);
        }

        using var reopened = TestJournal.Open(options);
        Assert.Equal((6L, 41), (reopened.CommittedOffset, reopened.ReadAll().Count));
    }

    [Fact]
    public void The_cursor_is_written_on_a_full_disk_and_survives_a_power_cut_at_any_moment_of_it()
    {
        for (var calls = 0; ; calls++)
        {
            using var directory = new TempDirectory();
            var disk = new UnreliableDisk(new Random(calls)) { WriteFailure = new IOException("No space left on device", 28) };
            var journal = TestJournal.Open(TestJournal.Options(directory.Path), disk);
            for (var i = 0; i < 10; i++)
                journal.Append("x");
            journal.Commit(1, durable: true);
            disk.NewFilesFail = true;
            journal.Commit(2, durable: true);
            disk.CallsUntilCrash = calls;
            var hasCrashed = false;
            try
            {
                journal.Commit(3, durable: true);
                disk.Crash();
            }
            catch (CrashException)
            {
                hasCrashed = true;
            }
            try
            {
                journal.Dispose();
            }
            catch (CrashException)
            {
                // It is gone.
            }
            disk.LosePower(directory.Path);

            using var reopened = TestJournal.Open(TestJournal.Options(directory.Path), disk.Restarted());
            Assert.InRange(reopened.CommittedOffset, hasCrashed ? 2 : 3, 3);
            if (!hasCrashed)
                break;
            Assert.True(calls < 30);
        }
    }

    static void Make(JournalOptions options)
    {
        using var journal = TestJournal.Open(options);
        for (var i = 0; i < 40; i++)
            journal.AppendAsync(new JournalRecord(new byte[1000])).AsTask().Wait();
        // So that there is a spare block for the cursor.
        journal.Commit(1, durable: true);
        journal.Commit(2, durable: true);
    }
}
