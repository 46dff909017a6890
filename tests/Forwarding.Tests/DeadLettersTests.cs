using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

public sealed class DeadLettersTests : IDisposable
{
    readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_letter_that_comes_after_the_file_was_taken_away_is_kept()
    {
        var letters = Open();
        Keep(letters, "before");
        File.Delete(Assert.Single(DeadLetters.Files(directory.Path)));

        Keep(letters, "after");

        Assert.Equal("after", Assert.Single(DeadLetters.ReadAll(directory.Path)).Reason);
    }

    [Fact]
    [Trait("Category", "Security")]
    public void The_list_for_people_holds_nothing_that_a_terminal_would_obey()
    {
        var letters = Open();
        letters.Add(
            new DeadLetter("no\u001b[2Jt", "telemetry/v1/\u001b]0;x\u0007/\u009b31m", null, 0, new byte[] { 1 }),
            DeadLetterOrigin.Unread
        );
        letters.Flush();
        using var output = new StringWriter();

        Assert.Equal(0, ForwarderCommands.List(directory.Path, json: false, output));

        Assert.DoesNotContain(output.ToString(), letter => char.IsControl(letter) && letter is not ('\n' or '\r'));
        Assert.Contains("telemetry/v1", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_cap_of_one_replica_costs_no_letter_that_another_writes_later()
    {
        var quiet = Open(20 << 20);
        var busy = Open(20 << 20);
        Keep(quiet, "first");
        for (var i = 0; i < 40; i++)
            Keep(busy, "flood", 1 << 20);

        Keep(quiet, "second");

        Assert.Contains(DeadLetters.ReadAll(directory.Path), letter => letter.Reason == "second");
        Assert.InRange(DeadLetters.Files(directory.Path).Sum(file => new FileInfo(file).Length), 1, 20 << 20);
    }

    [Fact]
    public void The_cap_lets_a_file_be_that_is_being_written()
    {
        var letters = Open(4 << 20);
        Keep(letters, "first");
        var first = Assert.Single(DeadLetters.Files(directory.Path));
        // As another replica has it while it writes.
        using (File.OpenHandle(first, FileMode.Open, FileAccess.Write, FileShare.Read))
        {
            for (var i = 0; i < 10; i++)
                Keep(letters, "flood", 1 << 20);
            Assert.Contains(first, DeadLetters.Files(directory.Path));
        }

        Keep(letters, "flood", 1 << 20);

        Assert.DoesNotContain(first, DeadLetters.Files(directory.Path));
    }

    [Fact]
    public void Files_that_are_begun_in_the_same_millisecond_keep_their_order()
    {
        var letters = new DeadLetters(directory.Path, 1 << 20, new ManualClock(), NullLogger.Instance);
        List<string> reasons = [.. Enumerable.Range(1, 30).Select(number => $"device {number}")];
        foreach (var reason in reasons)
        {
            letters.Add(new DeadLetter(reason, $"telemetry/v1/{reason}/thermal", null, 1, new byte[] { 1 }), DeadLetterOrigin.Unread);
            letters.Flush();
        }

        Assert.Equal(reasons, DeadLetters.ReadAll(directory.Path).Select(letter => letter.Reason));
        Assert.Equal(30, DeadLetters.Files(directory.Path).Count);
    }

    [Fact]
    public void A_file_can_be_read_while_it_is_written()
    {
        var letters = Open();
        Keep(letters, "one");
        using var reading = DeadLetters.ReadAll(directory.Path).GetEnumerator();
        Assert.True(reading.MoveNext());

        Keep(letters, "two");

        Assert.Equal(["one", "two"], DeadLetters.ReadAll(directory.Path).Select(letter => letter.Reason));
        Assert.Single(DeadLetters.Files(directory.Path));
    }

    [Fact]
    public void A_line_without_a_topic_is_no_letter() =>
        Assert.False(
            DeadLetter.TryParse(
                """{"at":"2026-01-01T00:00:00Z","reason":"r","topic":null,"content_type":null,"readings":0,"payload":""}""",
                out _
            )
        );

    DeadLetters Open(long maxBytes = 64 << 20) => new(directory.Path, maxBytes, TimeProvider.System, NullLogger.Instance);

    static void Keep(DeadLetters letters, string reason, int bytes = 1)
    {
        letters.AddMessage(reason, "t", null, Encoding.UTF8.GetBytes(new string('x', bytes)));
        letters.Flush();
    }
}
