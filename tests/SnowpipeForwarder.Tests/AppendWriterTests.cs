using System.Text;
using Google.Protobuf;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

public class AppendWriterTests
{
    static readonly DateTimeOffset Now = new(2026, 11, 20, 10, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(10, 130)]
    [InlineData(100, 80)]
    [InlineData(5000, 80)]
    public void A_thermal_reading_costs_few_bytes_on_the_wire(int count, int most)
    {
        using var writer = new AppendWriter();

        var parts = writer.Write(Readings(count), count, 0, count, "THERMAL_slot-0_1a2b3c4d", Now, Fail);

        var part = Assert.Single(parts);
        Assert.Equal(count, part.Rows);
        Assert.InRange(part.Body.Length / (double)count, 40, most);
    }

    [Fact]
    public void Each_row_is_one_line_of_JSON_without_needless_escapes()
    {
        using var writer = new AppendWriter();

        var part = writer.Write(Readings(3), 3, 0, 3, "C", Now, Fail).Single();

        var text = Encoding.UTF8.GetString(Call.Decompress(part.Body.ToArray()));
        Assert.Equal(part.UncompressedBytes, text.Length);
        Assert.Equal(3, text.Count(letter => letter == '\n'));
        Assert.EndsWith("}\n", text);
        Assert.DoesNotContain("\\u", text);
        Assert.Contains("\"datetimestamp\":\"2026-11-20T10:00:00.500000+00:00\"", text);
    }

    // DuckDB brings the reference implementation of Zstandard, which is not the one that compresses.
    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(20_000)]
    public async Task Another_implementation_of_Zstandard_reads_the_rows(int count)
    {
        using var writer = new AppendWriter();
        var directory = Directory.CreateTempSubdirectory("thermal-zstd-").FullName;
        try
        {
            var file = Path.Combine(directory, "rows.ndjson.zst");
            var part = writer.Write(Readings(count), count, 0, count, "C", Now, Fail).Single();
            await File.WriteAllBytesAsync(file, part.Body, TestContext.Current.CancellationToken);
            await using var connection = new DuckDB.NET.Data.DuckDBConnection("DataSource=:memory:");
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = connection.CreateCommand();
            command.CommandText =
                $"SELECT count(*), sum(sequence)::BIGINT FROM read_json('{file}', format = 'newline_delimited', compression = 'zstd')";
            await using var answer = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
            Assert.True(await answer.ReadAsync(TestContext.Current.CancellationToken));

            Assert.Equal((count, count * (count + 1L) / 2), (answer.GetInt64(0), answer.GetInt64(1)));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void A_batch_without_rows_makes_no_append()
    {
        using var writer = new AppendWriter();

        Assert.Empty(writer.Write([], 0, 5, 5, "C", Now, Fail));
    }

    [Fact]
    public void The_same_batch_gives_the_same_bytes()
    {
        using var one = new AppendWriter();
        using var two = new AppendWriter();

        var first = one.Write(Readings(50), 50, 0, 50, "C", Now, Fail).Single().Body.ToArray();
        _ = two.Write(Readings(7), 7, 0, 7, "D", Now, Fail);
        var second = two.Write(Readings(50), 50, 0, 50, "C", Now, Fail).Single().Body.ToArray();

        Assert.Equal(first, second);
    }

    static void Fail(BatchReading reading, string reason) => Assert.Fail(reason);

    static IEnumerable<BatchReading> Readings(int count)
    {
        var random = new Random(20261120);
        var message = new ReadingBatch
        {
            DeviceId = "raspberrypi",
            BootId = "0123456789abcdef0123456789abcdef",
            Host = new Host
            {
                Hostname = "raspberrypi",
                LocalHostname = "raspberrypi.local",
                IpAddress = "192.168.1.20",
                MacAddress = "b8:27:eb:01:02:03",
                StartedAtUs = Instants.ToMicroseconds(Now.AddDays(-3)),
            },
        };
        var id = new byte[16];
        for (var i = 0; i < count; i++)
        {
            random.NextBytes(id);
            message.Thermal.Add(
                new ThermalReading
                {
                    Sequence = (ulong)i + 1,
                    ObservedAtUs = Instants.ToMicroseconds(Now) + (i + 1) * 500_000L + (i == 0 ? 0 : random.Next(900)),
                    Id = ByteString.CopyFrom(id),
                    DurationUs = (uint)random.Next(800, 4000),
                    TemperatureC = 21.5 + random.NextDouble() * 0.2,
                    HumidityPercent = 45 + random.NextDouble(),
                    Co2Ppm = 600 + random.Next(30),
                    PressurePa = 101_300 + random.NextDouble() * 20,
                    IcpTemperatureF = 72 + random.NextDouble() * 0.3,
                    EquivalentCo2Ppm = 400 + random.Next(20),
                    TvocPpb = random.Next(30),
                    CpuTemperatureC = 50 + random.Next(4),
                    CpuPercent = random.NextDouble() * 20,
                    MemoryPercent = 30 + random.NextDouble(),
                    DiskFreeMb = 50_123,
                }
            );
        }
        var payload = Payload.Decode(message.ToByteArray(), false, "raspberrypi", ReadingKind.Thermal, Now);
        return Enumerable.Range(0, count).Select(i => new BatchReading(i, payload, i));
    }
}
