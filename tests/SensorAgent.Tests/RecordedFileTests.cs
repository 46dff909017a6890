using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>Recorded files that are replaced, grow, disappear, or hold lines that are not readings.</summary>
public sealed class RecordedFileTests : RecordingTestBase
{
    [Fact]
    public async Task Another_file_with_the_same_beginning_is_played_from_its_start_with_a_warning()
    {
        Record(100);
        await PlayToEndAsync(replay => replay with { Speed = 0 });
        var lines = await System.IO.File.ReadAllLinesAsync(File);
        // Longer, and the same in its first 4 KiB.
        await System.IO.File.WriteAllLinesAsync(File, [.. lines[..50], .. Enumerable.Range(1, 100).Select(i => Row(300 + i, i))]);

        await PlayToEndAsync(replay => replay with { Speed = 0 });

        Assert.Equal([.. Enumerable.Range(21, 100), .. Enumerable.Range(21, 50), .. Enumerable.Range(321, 100)], StoredTemperatures());
        Assert.Contains(
            Logger.Collector.GetSnapshot(),
            record => record.Level == LogLevel.Warning && record.Message.Contains("is not the file", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task An_empty_file_that_is_filled_later_is_played_from_its_start()
    {
        await System.IO.File.WriteAllTextAsync(File, "");
        await PlayToEndAsync();
        Record(4);
        await PlayToEndAsync();
        Record(8);
        await PlayToEndAsync();
        Assert.Equal(Enumerable.Range(21, 8).Select(i => (double)i), StoredTemperatures());

        await System.IO.File.WriteAllTextAsync(File, "");
        Assert.False(RecordingPosition.Begin(File, "boot", "epoch", 0).IsOf(File));
    }

    [Fact]
    public async Task A_half_written_last_line_is_read_once_it_is_complete()
    {
        Record(3);
        var whole = await System.IO.File.ReadAllTextAsync(File);
        var last = Row(4, 4);
        for (var cut = 1; cut < last.Length; cut += 20)
        {
            await System.IO.File.WriteAllTextAsync(File, whole + last[..cut]);
            await PlayToEndAsync();
            Assert.DoesNotContain(Logger.Collector.GetSnapshot(), record => record.Id.Id == 34);
        }
        // Complete, though its end is still missing.
        await System.IO.File.WriteAllTextAsync(File, whole + last);
        await PlayToEndAsync();
        Assert.Equal(4, StoredTemperatures().Count);
        await System.IO.File.WriteAllTextAsync(File, whole + last + "\n" + Row(5, 5) + "\n");
        await PlayToEndAsync();

        using var stand = Start();
        AssertOnce(stand.Stored(), 5);
    }

    [Fact]
    public async Task Lines_that_are_not_readings_are_reported_and_skipped()
    {
        string[] bad =
        [
            "{\"temperature\": 21,",
            "[{\"temperature\": 21}]",
            "{\"PAC\": 3000}",
            "{\"temperature\": \"warm\"}",
            "{\"temperature\": 21, \"ts\": \"yesterday\"}",
            new string('x', RecordedFile.LongestLine + 70_000),
            "\0\0\0",
        ];
        System.IO.File.WriteAllText(
            File,
            "\uFEFF" + Row(1, 0) + "\r\n\r\n" + string.Join('\n', bad) + "\n" + Row(2, 0).Replace("22", "\"22\"", StringComparison.Ordinal)
        );
        var stand = Start();
        await stand.Sampling.StartAsync(default);
        await UntilEndAsync();
        await stand.Sampling.StopAsync(default);

        AssertOnce(stand.Stored(), 2);
        var warnings = Logger
            .Collector.GetSnapshot()
            .Where(record => record.Level == LogLevel.Warning)
            .Select(record => record.Message)
            .ToList();
        Assert.Equal(bad.Length, warnings.Count);
        for (var i = 0; i < bad.Length; i++)
            Assert.StartsWith(
                $"{File}, line {i + 3} is skipped: it ",
                warnings[i]
                    .Replace("temperature is", "it is", StringComparison.Ordinal)
                    .Replace("ts is", "it is", StringComparison.Ordinal),
                StringComparison.Ordinal
            );
        Assert.True(Health.IsReady);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_without_readings_is_a_problem_and_does_not_loop(bool isLooping)
    {
        await System.IO.File.WriteAllTextAsync(File, "\n{}\n");
        var stand = Start(replay => replay with { IsLooping = isLooping });
        await stand.Sampling.StartAsync(default);
        await UntilEndAsync();

        Assert.Contains(Health.Parts, one => one.Value?.Contains("holds no reading", StringComparison.Ordinal) == true);
        await stand.Sampling.StopAsync(default);
        Assert.Empty(stand.Stored());
    }

    [Fact]
    public async Task A_file_that_has_grown_continues_and_another_file_of_its_name_starts_again()
    {
        Record(5);
        await PlayAsync();
        Record(8);
        await PlayAsync();
        using (var stand = Start())
            AssertOnce(stand.Stored(), 8);

        System.IO.File.WriteAllLines(File, [Row(50, 0), Row(51, 1)]);
        await PlayAsync();

        var batches = Start().Stored();
        Assert.Equal([70, 71], Temperatures(batches)[8..]);
        Assert.Equal(2, batches.Select(batch => batch.BootId).Distinct().Count());
        Assert.Equal([1, 2], batches[^1].Thermal.Select(reading => reading.Sequence));

        async Task PlayAsync()
        {
            Logger.Collector.Clear();
            var stand = Start();
            await stand.Sampling.StartAsync(default);
            await UntilEndAsync();
            await stand.Sampling.StopAsync(default);
            stand.Dispose();
        }
    }

    [Fact]
    public async Task A_file_that_disappears_is_waited_for()
    {
        Record(40);
        var stand = Start();
        await stand.Sampling.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(6));
        await stand.Sampling.StopAsync(default);
        stand.Dispose();
        System.IO.File.Move(File, File + ".away");
        var again = Start();
        await again.Sampling.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(11));
        Assert.Contains("cannot be read", Health.Parts.Single(one => one.Key == "replay thermal").Value, StringComparison.Ordinal);

        System.IO.File.Move(File + ".away", File);
        await UntilEndAsync();
        await again.Sampling.StopAsync(default);

        AssertOnce(again.Stored(), 40);
        Assert.True(Health.IsReady);
    }

    List<double> StoredTemperatures()
    {
        using var stand = Start();
        return Temperatures(stand.Stored());
    }

    [Fact]
    public void A_position_is_read_as_it_was_written_and_anything_else_is_refused()
    {
        Record(3);
        var position = RecordingPosition.Begin(File, "boot", "epoch", 7) with { Byte = 12, Line = 1, Sequence = 1 };

        Assert.Equal(position, RecordingPosition.Parse(position.ToString()));
        Assert.True(position.IsOf(File));
        // As older versions wrote it: an upgrade goes on with the replay.
        var older = position.ToString();
        Assert.Equal(position, RecordingPosition.Parse(older[..older.IndexOf(" mark=", StringComparison.Ordinal)]));
        Assert.Null(RecordingPosition.Parse("sgp30 serial=1"));
        Assert.Null(RecordingPosition.Parse(position.ToString().Replace("line=1", "line=x", StringComparison.Ordinal)));
        Assert.False((position with { Byte = 1_000_000 }).IsOf(File));
    }
}
