using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>Single letters are picked out of their file, whatever cuts that short.</summary>
public sealed class DeadLetterReplayTests : IDisposable
{
    readonly TempDirectory directory = new();
    readonly DeadLetters letters;
    readonly DeadLetterShelf shelf;
    readonly DeadLetterReplay replay;

    public DeadLetterReplayTests()
    {
        letters = new DeadLetters(directory.Path, 64 << 20, TimeProvider.System, NullLogger.Instance);
        shelf = new DeadLetterShelf(directory.Path);
        replay = new DeadLetterReplay(directory.Path, TimeProvider.System);
    }

    public void Dispose() => directory.Dispose();

    string File => Assert.Single(DeadLetters.Files(directory.Path));

    List<string> Kept => [.. DeadLetters.ReadAll(directory.Path).Select(letter => letter.Reason)];

    List<string> Queued => [.. DeadLetters.ReadAll(DeadLetters.ReplayDirectory(directory.Path)).Select(letter => letter.Reason)];

    void Keep(params string[] reasons)
    {
        foreach (var reason in reasons)
            letters.Add(
                new DeadLetter(reason, "telemetry/v1/pi/thermal", "application/json", 0, Encoding.UTF8.GetBytes("x")),
                DeadLetterOrigin.Unread
            );
        letters.Flush();
    }

    DeadLetterId IdOf(string reason) => shelf.From(null).Single(found => found.Letter.Reason == reason).Id;

    [Fact]
    public async Task A_picked_letter_is_queued_and_the_others_keep_their_ids()
    {
        Keep("one", "two", "three");
        var (two, three) = (IdOf("two"), IdOf("three"));

        Assert.Equal(1, await replay.QueueAsync([two], CancellationToken.None));

        Assert.Equal(["one", "three"], Kept);
        Assert.Equal(["two"], Queued);
        Assert.Equal(three, IdOf("three"));
        Assert.Null(shelf.Find(two));
        Assert.Equal(0, await replay.QueueAsync([two], CancellationToken.None));
        // The process that wrote the file goes on where it was.
        Keep("four");
        Assert.Equal(["one", "three", "four"], Kept);
    }

    [Fact]
    public async Task The_last_letters_take_their_file_with_them()
    {
        Keep("one", "two");
        await replay.QueueAsync([IdOf("one")], CancellationToken.None);

        await replay.QueueAsync([IdOf("two")], CancellationToken.None);

        Assert.Empty(DeadLetters.Files(directory.Path));
        Assert.Equal(["one", "two"], Queued.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(".rest")]
    [InlineData(".rest", ".pick")]
    public async Task What_a_kill_left_before_it_counted_is_forgotten(params string[] left)
    {
        Keep("one", "two");
        foreach (var extension in left)
            await System.IO.File.WriteAllTextAsync(File + extension, "half");

        replay.RecoverIfFree();

        Assert.Equal(["one", "two"], Kept);
        Assert.Empty(Queued);
        Assert.Single(Directory.GetFiles(directory.Path), path => !path.EndsWith(".lock", StringComparison.Ordinal));
    }

    [Fact]
    public void What_a_kill_left_after_it_counted_is_queued_once()
    {
        Keep("one", "two");
        var lines = System.IO.File.ReadAllLines(File);
        System.IO.File.WriteAllText(File + ".pick", lines[1] + "\n");
        System.IO.File.WriteAllText(File, lines[0] + "\n" + new string(' ', lines[1].Length) + "\n");

        replay.RecoverIfFree();
        replay.RecoverIfFree();

        Assert.Equal(["one"], Kept);
        Assert.Equal(["two"], Queued);
    }

    [Fact]
    public async Task A_letter_is_not_picked_while_its_file_is_written()
    {
        Keep("one", "two");
        var id = IdOf("one");
        using (System.IO.File.OpenHandle(File, FileMode.Open, FileAccess.Write, FileShare.Read))
            await Assert.ThrowsAsync<IOException>(() => replay.QueueAsync([id], CancellationToken.None));

        Assert.Equal(["one", "two"], Kept);
        Assert.Empty(Queued);
    }

    [Fact]
    public async Task A_file_that_is_deleted_while_all_are_queued_is_left_out_and_the_others_are_queued()
    {
        Keep("one", "two");
        // What a file is that was listed and is gone when it is opened.
        var gone = DeadLetterOwner.Of(DeadLetterOrigin.Unread, "gone").NewFileName(DateTimeOffset.UnixEpoch);
        System.IO.File.CreateSymbolicLink(directory.File(gone), directory.File("nowhere"));

        Assert.Equal(2, await replay.QueueAllAsync(CancellationToken.None));

        Assert.Equal(["one", "two"], Queued.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_file_that_is_being_deleted_for_the_cap_is_not_queued_as_well()
    {
        Keep("one", "two");
        var (path, clock) = (File, new Microsoft.Extensions.Time.Testing.FakeTimeProvider());
        Task<long> queued;
        using (DeadLetters.OpenAlone(path))
        {
            queued = new DeadLetterReplay(directory.Path, clock).QueueAllAsync(CancellationToken.None);
            System.IO.File.Delete(path);
        }
        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(0, await queued);
        Assert.Empty(Queued);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/../x.ndjson")]
    [InlineData("0/../../etc/x.ndjson")]
    [InlineData("-1/x.ndjson")]
    [InlineData("0/x.txt")]
    [InlineData("0/.ndjson")]
    [InlineData("0/a\0b.ndjson")]
    [InlineData(
        "0/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.ndjson"
    )]
    [InlineData("99999999999999999999/x.ndjson")]
    public void An_id_that_leads_elsewhere_is_none(string text) =>
        Assert.False(DeadLetterId.TryParse(System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text)), out _));

    [Fact]
    public void An_offset_within_a_line_finds_nothing()
    {
        Keep("one");

        Assert.Null(shelf.Find(new DeadLetterId(Path.GetFileName(File), 1)));
        Assert.Null(shelf.Find(new DeadLetterId(Path.GetFileName(File), 1_000_000)));
        Assert.NotNull(shelf.Find(new DeadLetterId(Path.GetFileName(File), 0)));
    }
}
