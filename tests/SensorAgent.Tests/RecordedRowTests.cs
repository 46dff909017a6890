using System.Text;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>One line of a recorded file.</summary>
public sealed class RecordedRowTests
{
    [Theory]
    [InlineData("{\"temperature\": 21, \"quality\": \"\\ud800\"}", "it is not valid UTF-8")]
    [InlineData("{\"temperature\": 21, \"\\ud800\": 1}", "it is not valid UTF-8")]
    [InlineData("{\"temperature\": 21, \"sensors\": \"\u00ff\"}", "it is not valid UTF-8")]
    [InlineData("{\"temperature\": 21, \"diskusage\": \"\u00ff MB\"}", "it is not valid UTF-8")]
    [InlineData("{\"temperature\": \"\u00ff\"}", "it is not valid UTF-8")]
    public void A_line_in_another_encoding_is_reported(string line, string problem) =>
        Assert.Equal(problem, RecordedRow.Parse(ReadingKind.Thermal, Encoding.Latin1.GetBytes(line), out _));

    [Theory]
    [InlineData(ReadingKind.Inverter, "id")]
    [InlineData(ReadingKind.Inverter, "quality")]
    [InlineData(ReadingKind.Thermal, "quality")]
    [InlineData(ReadingKind.Thermal, "sensors")]
    public void A_text_longer_than_its_column_is_refused(ReadingKind kind, string key)
    {
        Assert.Null(Parse(200));
        Assert.Equal($"{key} is longer than 200 characters", Parse(201));

        string? Parse(int length)
        {
            var row = new Dictionary<string, object>
            {
                ["id"] = "i",
                ["PAC"] = 3000,
                ["temperature"] = 40,
            };
            row[key] = new string('x', length);
            return RecordedRow.Parse(kind, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(row), out _);
        }
    }

    [Fact]
    public void Every_line_is_either_a_reading_or_a_problem()
    {
        var (random, seed) = Seed.Next();
        byte[][] rows =
        [
            Encoding.UTF8.GetBytes(
                RecordingTestBase.Row(1, 1)[..^1]
                    + ", \"quality\": \"clock:Adjusting\", \"sensors\": \"sc\\u00e4d4x\", \"diskusage\": \"12 MB\", \"under_voltage\": true, "
                    + "\"throttled\": 327680, \"load_1m\": 0.5, \"uptime_s\": 12}"
            ),
            Encoding.UTF8.GetBytes(
                "{\"id\": \"Inverter_\\u00e4\", \"PAC\": 3000, \"fault_status\": \"None\", \"quality\": \"x:Stuck\", \"ts\": 1}"
            ),
        ];
        string[] pieces = ["\\ud800", "\\udfff", "\"", "\\", "{", "}", "[", ",", ":", "null", "1e400", "-1", "true", "\\u0000"];
        var readings = 0;
        for (var run = 0; run < 60_000; run++)
        {
            var line = rows[random.Next(rows.Length)].ToList();
            for (var change = random.Next(4); change >= 0; change--)
            {
                var at = random.Next(line.Count);
                if (random.Next(2) == 0)
                    line[at] = (byte)random.Next(256);
                else if (random.Next(4) == 0)
                    line.RemoveRange(at, Math.Min(random.Next(1, 30), line.Count - at - 1));
                else
                    line.InsertRange(at, Encoding.UTF8.GetBytes(pieces[random.Next(pieces.Length)]));
            }
            var kind = (ReadingKind)Enum.GetValues<ReadingKind>().GetValue(random.Next(2))!;
            var text = line.ToArray();
            try
            {
                var problem = RecordedRow.Parse(kind, text, out var row);
                if (problem is not null)
                    continue;
                readings++;
                Google.Protobuf.IMessage? message = row.Thermal is null ? row.Inverter : row.Thermal;
                Assert.InRange(Google.Protobuf.MessageExtensions.ToByteArray(message!).Length, 1, 3_000);
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"Seed {seed}, line {Encoding.Latin1.GetString(text)}: {e}");
            }
        }
        Assert.True(readings > 100, $"Seed {seed}: hardly a line was a reading.");
    }
}
