using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>A journal whose files were put back from a backup, while the original had gone on.</summary>
public sealed class RestoredJournalTests : JournalTest
{
    readonly TempDirectory backup = new();

    public RestoredJournalTests() => clock.SetUtcNow(new DateTimeOffset(2026, 11, 20, 10, 0, 0, TimeSpan.Zero));

    [Fact]
    public void It_keeps_what_it_held_and_gives_out_no_offset_that_the_original_gave_out()
    {
        using (var original = Open(new JournalOptions()))
        {
            original.Append("a", 3);
            original.Append("b", 2);
            original.Commit(3, durable: true);
            Backup();
            for (var i = 0; i < 100; i++)
                original.Append("later", 1000);
        }

        using var restored = Restore();

        Assert.Equal(3, restored.CommittedOffset);
        Assert.Equal(2, restored.BacklogReadings);
        Assert.Equal(["0+3:a", "3+2:b"], restored.ReadAll());
        var first = restored.Append("new");
        Assert.True(first > 100_005, $"{first} was given out before");
        Assert.Equal(["3+2:b", $"{first}+1:new"], restored.ReadAll(from: 3));
        Assert.Equal(0, restored.LostReadings);
        restored.Commit(first + 1, durable: true);
        Assert.Equal(0, restored.BacklogReadings);
    }

    [Fact]
    public void A_second_restore_of_the_same_backup_gives_out_others_again()
    {
        using (var original = Open(new JournalOptions()))
        {
            original.Append("a");
            Backup();
        }
        long first;
        using (var restored = Restore())
        {
            for (var i = 0; i < 50; i++)
                restored.Append("x", 1000);
            first = restored.NextOffset;
        }
        clock.Advance(TimeSpan.FromSeconds(1));

        using var again = Restore();

        Assert.True(again.NextOffset > first, $"{again.NextOffset} was given out before {first}");
        Assert.Equal(["0+1:a"], again.ReadAll());
    }

    [Fact]
    public void With_a_clock_that_is_wrong_it_still_continues_behind_all_that_the_backup_knew()
    {
        using (var original = Open(new JournalOptions()))
        {
            original.Append("a");
            Backup();
        }
        clock.SetUtcNow(new DateTimeOffset(2034, 1, 1, 0, 0, 0, TimeSpan.Zero));
        long high;
        using (var restored = Restore())
            high = restored.Append("b");

        var made = RestoredJournal.Continue(temp.Path, new ManualClock());

        using var again = Open(new JournalOptions());
        Assert.Equal(Segment.FileName(again.NextOffset), Path.GetFileName(made));
        Assert.True(again.NextOffset > high + (1 << 20));
        Assert.Equal(["0+1:a", $"{high}+1:b"], again.ReadAll());
    }

    [Fact]
    public void An_append_that_was_cut_off_stays_where_it_is()
    {
        using (var original = Open(new JournalOptions()))
        {
            original.Append("a");
            Backup();
        }
        var segment = Segment.List(backup.Path)[^1].Path;
        File.AppendAllText(segment, "torn");

        using var restored = Restore();

        var next = restored.Append("b");
        Assert.Equal(["0+1:a", $"{next}+1:b"], restored.ReadAll());
        Assert.Equal(0, restored.LostReadings);
    }

    /// <summary>The original may have delivered them after the backup, by the offsets that it gave them.</summary>
    [Fact]
    public void Readings_behind_a_hole_keep_the_offsets_that_the_original_gave_them()
    {
        MakeHole(new JournalOptions());
        List<string> held;
        using (var original = Open(new JournalOptions()))
            held = original.ReadAll();
        Backup();

        using var restored = Restore();

        Assert.Equal(2, held.Count);
        Assert.Equal(held, restored.ReadAll());
    }

    [Fact]
    public void Without_a_journal_there_is_nothing_to_do()
    {
        Assert.Null(RestoredJournal.Continue(temp.Path, clock));
        Assert.Null(RestoredJournal.Continue(temp.File("none"), clock));
        Assert.Empty(Directory.GetFileSystemEntries(temp.Path));
    }

    void Backup()
    {
        foreach (var file in Directory.GetFiles(temp.Path).Where(file => Path.GetFileName(file) != "lock"))
            File.Copy(file, backup.File(Path.GetFileName(file)), overwrite: true);
    }

    DurableJournal Restore()
    {
        foreach (var file in Directory.GetFiles(temp.Path))
            File.Delete(file);
        foreach (var file in Directory.GetFiles(backup.Path))
            File.Copy(file, temp.File(Path.GetFileName(file)));
        Assert.NotNull(RestoredJournal.Continue(temp.Path, clock));
        return Open(new JournalOptions());
    }
}
