using System.CommandLine;
using System.Text.Json;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

/// <summary>The verb <c>journal recover</c>.</summary>
public sealed class RecoverTests : IDisposable
{
    readonly TempDirectory temp = new();
    readonly List<string> delivered = [];

    public void Dispose() => temp.Dispose();

    [Fact]
    public void Takes_in_once_what_an_earlier_version_had_put_into_quarantine()
    {
        var kept = QuarantineAsAnEarlierVersion();

        var (exitCode, output, error) = Run("--json");

        Assert.Equal((0, ""), (exitCode, error));
        var file = JsonDocument.Parse(output).RootElement[0].GetProperty("files")[0];
        Assert.Equal((2, "taken in"), (file.GetProperty("readings").GetInt32(), file.GetProperty("outcome").GetString()));
        string[] expected =
        [
            "0:aaa",
            "1:bbb",
            "2:ccc",
            "3:ddd",
            "4:eee",
            "8:iii",
            "9:jjj",
            "10:kkk",
            "11:lll",
            $"{JournalRecover.Jump}:ggg",
            $"{JournalRecover.Jump + 1}:hhh",
        ];
        Assert.Equal(expected, Read());

        // Again, and with the file put back by somebody.
        Assert.Equal(0, Run().ExitCode);
        File.Copy(Path.Combine(temp.Path, "quarantine", "recovered", Path.GetFileName(kept)), kept);
        Assert.Equal(0, Run().ExitCode);
        Assert.Equal(expected, Read());
        using var journal = TestJournal.Open(TestJournal.Options(temp.Path, 1024));
        Assert.Equal(JournalRecover.Jump + 2, journal.Append("later"));
        Assert.Equal(0, journal.QuarantinedFiles);
    }

    [Fact]
    public void A_crash_at_any_moment_takes_nothing_in_twice_and_leaves_nothing_out()
    {
        QuarantineAsAnEarlierVersion();
        for (var calls = 0; ; calls++)
        {
            using var copy = new TempDirectory();
            CopyTo(copy.Path);
            var disk = new UnreliableDisk(new Random(calls)) { CallsUntilCrash = calls };
            var hasCrashed = false;
            try
            {
                new JournalRecover(copy.Path, TimeProvider.System, disk).Run();
            }
            catch (CrashException)
            {
                hasCrashed = true;
                disk.LosePower(copy.Path);
            }

            // At times the service delivers everything, and deletes it, before the second run.
            if (calls % 2 == 1)
                Deliver(copy.Path);
            new JournalRecover(copy.Path, TimeProvider.System, new Disk()).Run();

            var read = Read(copy.Path);
            Assert.True(
                read.Concat(delivered).Count(text => text.EndsWith("ggg", StringComparison.Ordinal)) == 1,
                $"after {calls} calls: {string.Join(" ", read)}"
            );
            Assert.True(
                read.Concat(delivered).Count(text => text.EndsWith("hhh", StringComparison.Ordinal)) == 1,
                $"after {calls} calls: {string.Join(" ", read)}"
            );
            delivered.Clear();
            if (!hasCrashed)
                break;
            Assert.True(calls < 100);
        }
    }

    [Fact]
    public void Says_so_when_the_service_runs_and_changes_nothing()
    {
        var kept = QuarantineAsAnEarlierVersion();
        using var journal = TestJournal.Open(TestJournal.Options(temp.Path, 1024));

        var (exitCode, _, error) = Run();

        Assert.Equal(1, exitCode);
        Assert.Contains("Stop the service", error, StringComparison.Ordinal);
        Assert.True(File.Exists(kept));
    }

    [Fact]
    public void Leaves_what_is_not_a_record_and_what_is_of_another_journal()
    {
        using (var journal = TestJournal.Open(TestJournal.Options(temp.Path)))
            journal.Append("a");
        using var elsewhere = new TempDirectory();
        using (var other = TestJournal.Open(TestJournal.Options(elsewhere.Path)))
            other.Append("foreign");
        var quarantine = Directory.CreateDirectory(temp.File("quarantine")).FullName;
        File.WriteAllText(Path.Combine(quarantine, "00000000000000000000-64.damaged"), new string('x', 5000));
        File.Copy(Segment.List(elsewhere.Path)[0].Path, Path.Combine(quarantine, "00000000000000000000.segment"));

        var (exitCode, output, _) = Run();

        Assert.Equal(1, exitCode);
        Assert.Contains("has no complete record", output, StringComparison.Ordinal);
        Assert.Contains("belongs to the journal", output, StringComparison.Ordinal);
        Assert.Equal(["0:a"], Read());
        Assert.Equal(2, Directory.GetFiles(quarantine).Length);
    }

    [Fact]
    public void Help_says_what_it_does()
    {
        var (exitCode, output, _) = Run("--help");

        Assert.Equal(0, exitCode);
        Assert.Contains("Stop the service first", output, StringComparison.Ordinal);
        Assert.Contains("--json", output, StringComparison.Ordinal);
    }

    void Deliver(string directory)
    {
        using var journal = TestJournal.Open(TestJournal.Options(directory, 1024));
        delivered.AddRange(journal.ReadAll());
        journal.Commit(journal.NextOffset);
        journal.Append("service");
    }

    /// <summary>
    /// Twelve readings, four a segment. The version before this one put 5 (damaged), 6 and 7 into quarantine and cut the segment there.
    /// </summary>
    string QuarantineAsAnEarlierVersion()
    {
        using (var journal = TestJournal.Open(TestJournal.Options(temp.Path, 1024)))
        {
            for (var i = 0; i < 12; i++)
                journal.Append(new string((char)('a' + i), 200));
        }

        var segments = Segment.List(temp.Path);
        var bytes = File.ReadAllBytes(segments[1].Path);
        const int position = SegmentHeader.Bytes + 207;
        bytes[position + 50] ^= 0xFF;
        var kept = Path.Combine(Directory.CreateDirectory(temp.File("quarantine")).FullName, $"00000000000000000004-{position}.damaged");
        File.WriteAllBytes(kept, bytes[position..]);
        File.WriteAllBytes(segments[1].Path, bytes[..position]);
        // It noted the new end in the header of the next segment.
        var next = File.ReadAllBytes(segments[2].Path);
        var header = SegmentHeader.Parse(next, "")!.Value with { PreviousEnd = 5 };
        header.Write(next);
        File.WriteAllBytes(segments[2].Path, next);
        return kept;
    }

    string[] Read(string? directory = null)
    {
        using var journal = TestJournal.Open(TestJournal.Options(directory ?? temp.Path, 1024));
        Assert.Equal(0, journal.LostReadings);
        // What is delivered and not deleted yet does not count.
        return
        [
            .. journal
                .ReadAll(journal.CommittedOffset)
                .Select(entry =>
                    entry[..entry.IndexOf('+', StringComparison.Ordinal)]
                    + entry[entry.IndexOf(':', StringComparison.Ordinal)..][
                        ..Math.Min(4, entry.Length - entry.IndexOf(':', StringComparison.Ordinal))
                    ]
                ),
        ];
    }

    void CopyTo(string directory)
    {
        foreach (var path in Directory.GetFiles(temp.Path, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(directory, Path.GetRelativePath(temp.Path, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(path, target);
        }
    }

    (int ExitCode, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var command = new RootCommand { JournalCommand.Create(temp.Path, _ => []) };
        var exitCode = command
            .Parse(["journal", "recover", .. arguments])
            .Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (exitCode, output.ToString(), error.ToString());
    }
}
