namespace ThermalStreaming.Journal.Tests;

/// <summary>How delivered segments are deleted: the oldest first, and each durably before the next.</summary>
public sealed class SegmentRemovalTests : JournalTest
{
    readonly JournalOptions options = new() { SegmentBytes = 1024 };
    readonly RecordingDisk disk = new();

    [Fact]
    public void Each_deletion_is_durable_before_the_next()
    {
        using var journal = OpenFilled();
        var names = Segment.List(temp.Path).ConvertAll(segment => Path.GetFileName(segment.Path));
        Assert.InRange(names.Count, 4, 20);
        disk.Calls.Clear();

        journal.Commit(20);

        Assert.Equal(names.SkipLast(1).SelectMany(name => (string[])["delete " + name, "flush"]), disk.Calls);
    }

    [Fact]
    public void While_a_deletion_cannot_be_made_durable_nothing_more_is_deleted()
    {
        using var journal = OpenFilled();
        var before = Segment.List(temp.Path).Count;

        disk.FlushFails = true;
        for (var offset = 15; offset <= 20; offset++)
            journal.Commit(offset);

        Assert.Equal(before - 1, Segment.List(temp.Path).Count);
        Assert.Single(log.Collector.GetSnapshot(), one => one.Id.Name == nameof(Log.DeletionNotDurable));

        disk.FlushFails = false;
        clock.Advance(TimeSpan.FromSeconds(1));
        journal.Commit(20);

        Assert.Single(Segment.List(temp.Path));
    }

    [Fact]
    public void A_file_that_cannot_be_deleted_keeps_those_behind_it()
    {
        using var journal = OpenFilled();
        var before = Segment.List(temp.Path).Count;

        disk.Undeletable = Segment.List(temp.Path)[1].Path;
        disk.Calls.Clear();
        journal.Commit(20);
        journal.Commit(20);

        Assert.Equal(before - 1, Segment.List(temp.Path).Count);
        // The first one's deletion is flushed once; what was not deleted needs no flush.
        Assert.Single(disk.Calls, "flush");

        disk.Undeletable = "";
        journal.Commit(20);

        Assert.Single(Segment.List(temp.Path));
    }

    /// <summary>With 20 readings in several segments, none of them committed.</summary>
    DurableJournal OpenFilled()
    {
        var journal = Open(options, disk);
        for (var i = 0; i < 20; i++)
            journal.Append(new string('x', 300));
        return journal;
    }

    sealed class RecordingDisk : Disk
    {
        public List<string> Calls { get; } = [];

        public bool FlushFails { get; set; }

        public string Undeletable { get; set; } = "";

        public override void Delete(string path)
        {
            if (path == Undeletable)
                throw new IOException("Operation not permitted");
            Calls.Add("delete " + Path.GetFileName(path));
            base.Delete(path);
        }

        public override void FlushDirectory(string path)
        {
            if (FlushFails)
                throw new IOException("Input/output error");
            Calls.Add("flush");
            base.FlushDirectory(path);
        }
    }
}
