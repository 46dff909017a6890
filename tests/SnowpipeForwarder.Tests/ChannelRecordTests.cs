using ThermalStreaming.Forwarding;
using ThermalStreaming.Journal;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>What a slot remembers of its channel.</summary>
public class ChannelRecordTests
{
    [Fact]
    public async Task A_token_beyond_the_journals_end_moves_delivery_to_a_new_channel_and_survives_a_restart()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Make(SinkFixture.Channel).Committed = SinkFixture.Token(139);
        (fixture.Cursor, fixture.End) = (90, 100);

        var position = await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(100, 5));
        var uncommitted = await fixture.PollAsync();
        fixture.Server.Commit();
        var commit = await fixture.PollAsync();
        fixture.NewProcess();
        (fixture.Cursor, fixture.End) = (90, 105);
        var restarted = await fixture.OpenAsync();

        Assert.Equal(100, position.Offset);
        Assert.Equal(100, uncommitted.Offset);
        Assert.Equal(105, commit.Offset);
        Assert.Equal(105, restarted.Offset);
        Assert.Contains(SinkFixture.Channel + "-2", fixture.Server.ChannelNames);
        Assert.NotEmpty(fixture.Log.Of(SnowpipeEvents.TailLost));
    }

    /// <summary>
    /// The disk has lost readings that it had called durable. New ones have got their offsets, and more, before the channel could be opened.
    /// </summary>
    [Fact]
    public async Task Readings_that_got_the_offsets_of_lost_ones_are_delivered_however_late_the_channel_opens()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Make(SinkFixture.Channel).Committed = SinkFixture.Token(139);
        (fixture.Cursor, fixture.InitialEnd, fixture.End) = (90, 100, 150);

        var position = await fixture.OpenAsync();
        await fixture.DeliverAsync(100, 50);

        Assert.Equal(100, position.Offset);
        Assert.Contains(SinkFixture.Channel + "-2", fixture.Server.ChannelNames);
        Assert.NotEmpty(fixture.Log.Of(SnowpipeEvents.TailLost));
        // What this process has sent is no sign of a loss, however far it is beyond what the journal held at the start.
        fixture.Cursor = 150;
        Assert.Equal(150, (await fixture.OpenAsync()).Offset);
        Assert.Equal(2, fixture.Server.ChannelNames.Count);
    }

    /// <summary>A copy of the installation delivers as well, and is ahead: its readings are not those of this journal.</summary>
    [Fact]
    public async Task A_token_that_this_process_did_not_send_commits_none_of_its_readings()
    {
        await using var fixture = await SinkFixture.StartAsync();
        (fixture.InitialEnd, fixture.End) = (0, 20);
        await fixture.OpenAsync();
        await fixture.DeliverAsync(0, 10);
        fixture.Cursor = 10;
        fixture.Server.Make(SinkFixture.Channel).Committed = SinkFixture.Token(15);

        Assert.Equal(10, (await fixture.OpenAsync()).Offset);
        Assert.Contains(SinkFixture.Channel + "-2", fixture.Server.ChannelNames);
    }

    [Fact]
    public async Task Delivers_through_no_channel_while_it_cannot_be_read_which_one_is_the_last()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await OpenSecondGenerationAsync(fixture);
        var note = Path.Combine(fixture.Directory, "snowpipe-channel");
        var text = File.ReadAllText(note);
        File.Delete(note);
        Directory.CreateDirectory(note);
        fixture.End = 1000;
        fixture.NewProcess();

        var refused = await Assert.ThrowsAsync<SinkException>(fixture.OpenAsync);
        Directory.Delete(note);
        File.WriteAllText(note, text);
        await fixture.OpenAsync();

        Assert.Equal(SinkFailure.Transient, refused.Failure);
        Assert.Contains("cannot be read", refused.Message, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(note));
        Assert.Contains(" 2 ", text, StringComparison.Ordinal);
    }

    /// <summary>
    /// Through the first generation's channel it would skip what the journal numbered anew, or send again what the second one's has.
    /// </summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    // Then only the pipe can say.
    [InlineData(true, true)]
    public async Task A_damaged_record_of_the_channel_costs_nothing_wherever_it_is_damaged(bool isFileDamaged, bool isCopyDamaged)
    {
        await using var fixture = await SinkFixture.StartAsync();
        await OpenSecondGenerationAsync(fixture);
        fixture.End = 1000;
        await fixture.DeliverAsync(5, 2);
        // Forgotten, as after a month.
        fixture.Server.Forget(SinkFixture.Channel);
        var note = Path.Combine(fixture.Directory, "snowpipe-channel");
        var bytes = File.ReadAllBytes(note);
        Assert.Equal(bytes, File.ReadAllBytes(note + ".copy"));

        // Every byte changed, and every length.
        foreach (
            var damaged in Enumerable
                .Range(0, bytes.Length)
                .SelectMany(at => new[] { [.. bytes[..at], (byte)(bytes[at] ^ 1), .. bytes[(at + 1)..]], bytes[..at] })
        )
        {
            if (isFileDamaged)
                File.WriteAllBytes(note, damaged);
            if (isCopyDamaged)
                File.WriteAllBytes(note + ".copy", damaged);
            fixture.NewProcess();

            Assert.Equal(7, (await fixture.OpenAsync()).Offset);
            Assert.Equal(File.ReadAllBytes(note), File.ReadAllBytes(note + ".copy"));
        }

        Assert.Equal([SinkFixture.Channel + "-2"], fixture.Server.ChannelNames);
        Assert.NotEmpty(fixture.Log.Of(isFileDamaged && isCopyDamaged ? SnowpipeEvents.RecordDamaged : SnowpipeEvents.CopyDamaged));
    }

    [Fact]
    public async Task A_record_of_a_later_release_stays_as_it_is_and_nothing_is_sent()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await OpenSecondGenerationAsync(fixture);
        var note = Path.Combine(fixture.Directory, "snowpipe-channel");
        var known = TwinFile.Load(note, out _)!;
        TwinFile.Save(note, known.Replace("v1 ", "v2 ", StringComparison.Ordinal));
        var later = File.ReadAllText(note);
        fixture.NewProcess();
        var opened = fixture.Server.Of("open").Count();

        var refused = await Assert.ThrowsAsync<SinkException>(fixture.OpenAsync);

        Assert.Contains("format version 2; this program knows 1. A later release wrote it", refused.Message, StringComparison.Ordinal);
        Assert.Equal((later, later), (File.ReadAllText(note), File.ReadAllText($"{note}.copy")));
        Assert.Equal(opened, fixture.Server.Of("open").Count());
    }

    /// <summary>The disk refuses the record at first. Sent anyway, the reading without a row would count as a row that is missing.</summary>
    [Fact]
    public async Task The_count_of_rows_is_removed_from_the_record_before_a_reading_without_a_row_is_passed()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        await fixture.DeliverAsync(0, 10);
        await fixture.Sink.DisposeAsync();
        fixture.NewProcess();
        fixture.Cursor = 10;
        await fixture.OpenAsync();
        Assert.Equal((10, 10), Record().Expected);
        var batch = fixture.Batch(10, 5);
        batch.EndOffset = 20;
        var note = Path.Combine(fixture.Directory, "snowpipe-channel");
        File.Move(note, $"{note}.away");
        Directory.CreateDirectory(note);

        var refused = await fixture.SendFailsAsync(batch);
        Directory.Delete(note);
        File.Move($"{note}.away", note);
        await fixture.SendAsync(batch);

        Assert.Contains("cannot be written", refused.Message, StringComparison.Ordinal);
        Assert.Null(Record().Expected);
        Assert.Equal([10, 11, 12, 13, 14], SinkFixture.Offsets(fixture.Server.Of("append").Last().Rows));

        ChannelRecord Record() => ChannelRecord.Load(fixture.Directory, SinkFixture.Epoch, out _)!;
    }

    /// <summary>
    /// An older copy of the journal was put back, and more was taken in before the channel could be opened than the original had delivered
    /// since.
    /// </summary>
    [Fact]
    public async Task A_restored_journal_delivers_what_it_takes_in_before_the_channel_opens()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Make(SinkFixture.Channel).Committed = SinkFixture.Token(199);
        using var temp = new TempDirectory();
        using (var backup = Open(temp))
        {
            for (var i = 0; i < 100; i++)
                await backup.AppendAsync(new JournalRecord(new byte[8], 1), CancellationToken.None);
            backup.Commit(90, durable: true);
        }
        Assert.NotNull(RestoredJournal.Continue(temp.Path, TimeProvider.System));
        using var journal = Open(temp);
        var first = journal.NextOffset;
        for (var i = 0; i < 150; i++)
            await journal.AppendAsync(new JournalRecord(new byte[8], 1), CancellationToken.None);
        (fixture.Cursor, fixture.End) = (journal.CommittedOffset, journal.NextOffset);

        var position = await fixture.OpenAsync();

        Assert.Equal(200, position.Offset);
        Assert.Equal(150, journal.ReadingsFrom(position.Offset));
        Assert.Equal(first + 150, journal.NextOffset);
        Assert.Empty(fixture.Log.Of(SnowpipeEvents.TailLost));
    }

    static DurableJournal Open(TempDirectory directory) =>
        DurableJournal.Open(
            new JournalOptions { Directory = directory.Path, FreeSpaceReserveBytes = 0 },
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance
        );

    /// <summary>Ten readings are committed; then the disk has lost half of them, which it had called durable.</summary>
    static async Task OpenSecondGenerationAsync(SinkFixture fixture)
    {
        await fixture.OpenAsync();
        await fixture.DeliverAsync(0, 10);
        fixture.End = 5;
        fixture.NewProcess();
        await fixture.OpenAsync();
    }
}
