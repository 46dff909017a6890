using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>Dead letters, newest first: each file is read from its end.</summary>
public sealed class NewestLettersTests : IDisposable
{
    readonly TempDirectory directory = new();
    readonly ManualClock clock = new();
    readonly DeadLetters letters;
    readonly DeadLetterShelf shelf;

    public NewestLettersTests()
    {
        letters = new DeadLetters(directory.Path, 64 << 20, clock, NullLogger.Instance);
        shelf = new DeadLetterShelf(directory.Path);
    }

    public void Dispose() => directory.Dispose();

    void Keep(string device, string reason, int payload = 1)
    {
        letters.Add(
            new DeadLetter(
                reason,
                $"telemetry/v1/{device}/thermal",
                "application/json",
                0,
                Encoding.UTF8.GetBytes(new string('x', payload))
            ),
            DeadLetterOrigin.Unread
        );
        letters.Flush();
        clock.Advance(TimeSpan.FromSeconds(1));
    }

    List<string> Newest => [.. shelf.Newest().Select(found => found.Letter.Reason)];

    [Fact]
    public void Those_of_all_devices_come_in_the_order_of_their_time()
    {
        for (var i = 0; i < 30; i++)
            Keep($"device-{i % 3}", $"{i}");
        Assert.Equal(3, DeadLetters.Files(directory.Path).Count);

        Assert.Equal(Enumerable.Range(0, 30).Reverse().Select(i => $"{i}"), Newest);
    }

    /// <summary>Sizes around that of a block, and beyond it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2_900)]
    [InlineData(3_000)]
    [InlineData(3_071)]
    [InlineData(100_000)]
    public void Lines_of_any_length_are_read_whole_and_found_by_their_ids(int payload)
    {
        for (var i = 0; i < 12; i++)
            Keep("pi", $"{i}", payload + i);

        Assert.Equal(shelf.From(null).Reverse().Select(found => found.Id), shelf.Newest().Select(found => found.Id));
        Assert.Equal(Enumerable.Range(0, 12).Reverse().Select(i => $"{i}"), Newest);
        Assert.All(shelf.Newest(), found => Assert.Equal(found.Letter.Reason, shelf.Find(found.Id)!.Reason));
    }

    [Fact]
    public async Task Letters_that_were_picked_out_and_lines_that_are_not_complete_are_left_out()
    {
        for (var i = 0; i < 4; i++)
            Keep("pi", $"{i}", 5_000);
        var ids = shelf.Newest().Select(found => found.Id).ToList();
        await new DeadLetterReplay(directory.Path, clock).QueueAsync([ids[0], ids[2]], CancellationToken.None);
        await File.AppendAllTextAsync(
            Assert.Single(DeadLetters.Files(directory.Path)),
            """{"reason":"not complete",""",
            TestContext.Current.CancellationToken
        );

        Assert.Equal(["2", "0"], Newest);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\n\n")]
    [InlineData("no line break")]
    [InlineData("no letter\n")]
    public void A_file_without_letters_has_none(string text)
    {
        File.WriteAllText(directory.File("20261129T081500123-1f2e3d4c-unread-5e6f7a8b.ndjson"), text);

        Assert.Empty(Newest);
    }

    [Fact]
    public void A_page_of_them_is_listed_newest_first()
    {
        for (var i = 0; i < 5; i++)
            Keep("pi", $"{i}");
        var control = new DeadLetterControl(directory.Path, clock);

        var page = control.List(new Control.ListDeadLettersRequest { PageSize = 3, NewestFirst = true });

        Assert.Equal(["4", "3", "2"], page.Letters.Select(letter => letter.Reason));
        Assert.Equal("", page.NextPageToken);
        var refused = Assert.Throws<Grpc.Core.RpcException>(() =>
            control.List(new Control.ListDeadLettersRequest { NewestFirst = true, PageToken = page.Letters[0].Id })
        );
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, refused.StatusCode);
    }
}
