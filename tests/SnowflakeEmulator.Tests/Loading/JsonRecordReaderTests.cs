using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>Records of files of every form, however the bytes arrive.</summary>
public class JsonRecordReaderTests
{
    /// <summary>
    /// Files of random records, as lines or as an array with one element a line, some lines spoilt: every good record comes out as it was
    /// written, and every bad line is one error with its number.
    /// </summary>
    [Fact]
    public async Task Random_files_give_every_good_record_and_an_error_for_every_bad_line()
    {
        var (random, seed) = Seed.Next();
        for (var round = 0; round < 400; round++)
        {
            var isArray = random.Next(2) == 0;
            var text = new StringBuilder(isArray ? "[\n" : "");
            List<string> expected = [];
            List<long> bad = [];
            var count = random.Next(0, 30);
            for (var i = 0; i < count; i++)
            {
                if (random.Next(6) == 0)
                {
                    bad.Add(i + (isArray ? 2 : 1));
                    text.Append(Spoil(random));
                }
                else
                {
                    var record = Value(random, 0);
                    expected.Add(record);
                    text.Append(record);
                }
                text.Append(isArray && i < count - 1 ? "," : "").Append(random.Next(3) == 0 ? "\r\n" : "\n");
            }
            text.Append(isArray ? "]" : "");

            var (records, errors) = await ReadAsync(text.ToString(), random);

            Assert.True(expected.SequenceEqual(records), $"seed {seed}, round {round}:\n{text}");
            Assert.True(
                bad.SequenceEqual(errors.Select(e => e.Line!.Value)),
                $"seed {seed}, round {round}: {string.Join(',', errors)}\n{text}"
            );
        }
    }

    [Fact]
    public async Task Values_may_be_written_on_many_lines_and_without_anything_between_them()
    {
        var (random, seed) = Seed.Next();
        for (var round = 0; round < 200; round++)
        {
            // Objects and arrays alone: numbers without a blank between them would be one.
            var expected = Enumerable.Range(0, random.Next(1, 8)).Select(_ => $"{{\"v\":{Value(random, 0)}}}").ToList();
            var text = string.Concat(expected.Select(record => Spread(record, random)));

            var (records, errors) = await ReadAsync(text, random);

            Assert.True(errors.Count == 0, $"seed {seed}: {string.Join(',', errors)}\n{text}");
            Assert.Equal(expected, records.Select(record => record.Replace("\n", "", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task A_record_that_is_too_long_is_an_error_and_the_next_line_is_read()
    {
        var text = $"{{\"a\":1}}\n{{\"a\":\"{new string('x', JsonRecordReader.MaxRecord)}\"}}\n{{\"a\":2}}\n";

        var (records, errors) = await ReadAsync(text, null);

        Assert.Equal(["{\"a\":1}", "{\"a\":2}"], records);
        Assert.Contains("longer than", Assert.Single(errors).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[\n")]
    [InlineData("[\"a\",\n")]
    [InlineData("{\n")]
    [InlineData("{\"a\":\n")]
    [InlineData("\"\n")]
    [InlineData("}\n")]
    public async Task Millions_of_bad_lines_end_in_time(string line)
    {
        var (_, errors) = await ReadAsync(string.Concat(Enumerable.Repeat(line, 400_000 / line.Length)), null, strip: false);

        Assert.NotEmpty(errors);
    }

    /// <summary>Spoilt in a way that one line is enough to notice.</summary>
    static string Spoil(Random random) =>
        random.Next(6) switch
        {
            0 => "{\"a\":1,,\"b\":2}",
            1 => "not JSON",
            2 => "{\"a\":\"half",
            3 => "{'a':1}",
            4 => "{\"a\":01}",
            _ => "{\"a\" 1}",
        };

    static string Value(Random random, int depth) =>
        random.Next(depth > 3 ? 5 : 7) switch
        {
            0 => random.Next(2) == 0 ? "true" : "null",
            1 => $"{random.Next(-1000, 1000)}.5e{random.Next(-9, 9)}",
            2 => $"\"{new string('x', random.Next(0, 40))}\\\"\\n\\u00e4ä☀[{{}}],\"",
            3 => $"{random.Next()}",
            4 => "{}",
            5 => $"[{string.Join(',', Enumerable.Range(0, random.Next(0, 4)).Select(_ => Value(random, depth + 1)))}]",
            _ => $"{{{string.Join(',', Enumerable.Range(0, random.Next(1, 4)).Select(i => $"\"k{i}\":{Value(random, depth + 1)}"))}}}",
        };

    // Behind a bracket at the begin or the end a line end does no harm.
    static string Spread(string record, Random random) => random.Next(2) == 0 ? record : $"{record[..1]}\n\n{record[1..]}\n";

    static async Task<(List<string> Records, List<LoadError> Errors)> ReadAsync(string text, Random? random, bool strip = true)
    {
        using var stream = new Pieces(Encoding.UTF8.GetBytes(text), random);
        // Only the outer array is stripped, so a record that is an array must not be the first token of a line of lines.
        var reader = new JsonRecordReader(stream, strip && text.StartsWith("[\n", StringComparison.Ordinal));
        List<string> records = [];
        List<LoadError> errors = [];
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            if (reader.Error is { } error)
                errors.Add(error);
            else
                records.Add(Encoding.UTF8.GetString(reader.Record.Span));
        }
        Assert.Equal(Encoding.UTF8.GetByteCount(text), reader.Length);
        return (records, errors);
    }

    /// <summary>Hands out bytes in pieces of random length.</summary>
    sealed class Pieces(byte[] bytes, Random? random) : ReadingStream
    {
        int at;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = Math.Min(Math.Min(buffer.Length, bytes.Length - at), random?.Next(1, 50) ?? int.MaxValue);
            bytes.AsSpan(at, count).CopyTo(buffer.Span);
            at += count;
            return ValueTask.FromResult(count);
        }
    }
}
