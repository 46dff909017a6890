using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

public sealed class DurableJournalTests : IDisposable
{
    readonly TempDirectory temp = new();

    public void Dispose() => temp.Dispose();

    [Fact]
    public void Gives_back_what_was_appended_with_offsets_that_count_readings()
    {
        using var journal = TestJournal.Open(TestJournal.Options(temp.Path));

        Assert.Equal(0, journal.Append("a", 10));
        Assert.Equal(10, journal.Append("b"));
        Assert.Equal(11, journal.Append("c", 5));

        Assert.Equal(["0+10:a", "10+1:b", "11+5:c"], journal.ReadAll());
        Assert.Equal(16, journal.NextOffset);
        Assert.Equal(16, journal.BacklogReadings);
    }

    [Fact]
    public void Goes_on_where_it_was_after_a_restart()
    {
        string epoch;
        using (var journal = TestJournal.Open(TestJournal.Options(temp.Path)))
        {
            epoch = journal.Epoch;
            journal.Append("a", 3);
            journal.Append("b", 3);
            journal.Commit(3);
        }

        using var reopened = TestJournal.Open(TestJournal.Options(temp.Path));

        Assert.Equal(epoch, reopened.Epoch);
        Assert.Equal(3, reopened.CommittedOffset);
        Assert.Equal(6, reopened.Append("c"));
        Assert.Equal(["3+3:b", "6+1:c"], reopened.ReadAll(reopened.CommittedOffset));
    }

    [Fact]
    public void A_reader_in_the_middle_of_a_record_gets_that_record()
    {
        using var journal = TestJournal.Open(TestJournal.Options(temp.Path));
        journal.Append("a", 10);
        journal.Append("b", 10);

        Assert.Equal(["10+10:b"], journal.ReadAll(15));
    }
}
