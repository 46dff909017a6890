using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

public sealed class JournalCommandTests : IDisposable
{
    readonly TempDirectory temp = new();

    public void Dispose() => temp.Dispose();

    /// <summary>A record is a text of comma-separated values here, one per reading.</summary>
    static IEnumerable<string> Format(ReadOnlyMemory<byte> payload) =>
        Encoding.UTF8.GetString(payload.Span).Split(',').Select(value => $"{{\"v\":{int.Parse(value, CultureInfo.InvariantCulture)}}}");

    (int ExitCode, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var root = new RootCommand { JournalCommand.Create(temp.Path, Format) };
        var exitCode = root.Parse(["journal", .. arguments]).Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (exitCode, output.ToString(), error.ToString());
    }

    [Fact]
    public void Inspect_shows_every_slot_while_it_is_in_use()
    {
        using var first = TestJournal.Open(TestJournal.Options(temp.File("slot-0")));
        using var second = TestJournal.Open(TestJournal.Options(temp.File("slot-1"), 1024));
        first.Append("1,2,3", 3);
        first.Commit(2, durable: true);
        for (var i = 0; i < 10; i++)
            second.Append(new string('7', 200));

        var (exitCode, output, error) = Run("inspect", "--json");

        Assert.Equal((0, ""), (exitCode, error));
        using var json = JsonDocument.Parse(output);
        var (one, two) = (json.RootElement[0], json.RootElement[1]);
        Assert.Equal(temp.File("slot-0"), one.GetProperty("directory").GetString());
        Assert.Equal(first.Epoch, one.GetProperty("epoch").GetString());
        Assert.Equal(2, one.GetProperty("committed_offset").GetInt64());
        Assert.Equal(3, one.GetProperty("next_offset").GetInt64());
        Assert.Equal(1, one.GetProperty("backlog_readings").GetInt64());
        Assert.Equal(10, two.GetProperty("records").GetInt64());
        Assert.Equal(3, two.GetProperty("segments").GetInt32());
        Assert.Equal(second.SizeBytes, two.GetProperty("bytes").GetInt64());
        Assert.Equal(0, two.GetProperty("problems").GetArrayLength());
        Assert.True(DateTimeOffset.TryParse(two.GetProperty("oldest_uncommitted").GetString(), CultureInfo.InvariantCulture, out _));

        (exitCode, output, _) = Run("inspect");
        Assert.Equal(0, exitCode);
        Assert.Contains(temp.File("slot-1"), output, StringComparison.Ordinal);
        Assert.Contains(second.Epoch, output, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_is_content_with_a_sound_journal_and_with_an_unfinished_append()
    {
        using var journal = TestJournal.Open(TestJournal.Options(temp.Path, 1024));
        for (var i = 0; i < 10; i++)
            journal.Append(new string('7', 200));
        using (var file = new FileStream(Segment.List(temp.Path)[^1].Path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite))
            file.Write("half a frame"u8);

        var (exitCode, output, _) = Run("verify");

        Assert.Equal(0, exitCode);
        Assert.Contains("12 bytes of an append that is not finished", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_names_file_and_position_of_every_damage_and_changes_nothing()
    {
        using (var journal = TestJournal.Open(TestJournal.Options(temp.Path, 1024)))
        {
            for (var i = 0; i < 20; i++)
                journal.Append(new string('7', 200));
        }

        var segments = Segment.List(temp.Path);
        Change(segments[1].Path, SegmentHeader.Bytes + 207 + 50);
        Change(segments[2].Path, 20);
        Change(segments[^1].Path, SegmentHeader.Bytes + 50);
        var before = segments.Select(segment => File.ReadAllBytes(segment.Path)).ToList();

        var (exitCode, output, _) = Run("verify");

        Assert.Equal(1, exitCode);
        Assert.Contains(
            "00000000000000000004.segment: damaged from byte 271 to byte 478, 1 readings from offset 5 on are missing",
            output,
            StringComparison.Ordinal
        );
        Assert.Contains("00000000000000000008.segment: header damaged", output, StringComparison.Ordinal);
        Assert.Contains(
            "00000000000000000016.segment: damaged from byte 64 to byte 271, 1 readings from offset 16 on are missing",
            output,
            StringComparison.Ordinal
        );
        Assert.Equal(before, segments.Select(segment => File.ReadAllBytes(segment.Path)));
    }

    [Fact]
    public void Export_prints_the_readings_between_two_offsets()
    {
        using var journal = TestJournal.Open(TestJournal.Options(temp.Path));
        journal.Append("0,1,2", 3);
        journal.Append("3,4,5", 3);
        journal.Append("6", 1);

        var all = Run("export");
        var some = Run("export", "--from", "2", "--to", "5");

        Assert.Equal((0, ""), (all.ExitCode, all.Error));
        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"{{\"v\":{i}}}"), Lines(all.Output));
        Assert.Equal(["{\"v\":2}", "{\"v\":3}", "{\"v\":4}"], Lines(some.Output));
    }

    [Fact]
    public void Export_goes_on_after_what_it_cannot_show_and_says_so()
    {
        using (var journal = TestJournal.Open(TestJournal.Options(temp.Path)))
        {
            journal.Append("0");
            journal.Append("not a number");
            journal.Append("2");
        }

        var file = temp.File("readings.ndjson");
        var (exitCode, output, error) = Run("export", temp.Path, "--output", file);

        Assert.Equal((1, ""), (exitCode, output));
        Assert.Contains("the record at offset 1 cannot be shown", error, StringComparison.Ordinal);
        Assert.Equal(["{\"v\":0}", "{\"v\":2}"], File.ReadAllLines(file));
    }

    [Fact]
    public void A_directory_without_a_journal_is_an_error()
    {
        var (exitCode, _, error) = Run("inspect", temp.File("nowhere"));

        Assert.Equal(1, exitCode);
        Assert.Contains($"There is no journal in or below {temp.File("nowhere")}", error, StringComparison.Ordinal);
    }

    static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    static void Change(string path, int position)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[position] ^= 0xFF;
        File.WriteAllBytes(path, bytes);
    }
}
