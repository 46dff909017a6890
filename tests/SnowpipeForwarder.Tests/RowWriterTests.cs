using System.Text;
using Google.Protobuf;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

public class RowWriterTests
{
    static readonly DateTimeOffset Now = new(2026, 11, 20, 10, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(10, 170)]
    [InlineData(100, 120)]
    [InlineData(5000, 120)]
    public void A_thermal_reading_costs_few_bytes_on_the_wire(int count, int most)
    {
        using var writer = new RowWriter();

        var parts = writer.Write(Readings(count), count, 0, count, "THERMAL_slot-0_1a2b3c4d", Now, Fail);

        var part = Assert.Single(parts);
        Assert.Equal(count, part.Rows);
        Assert.InRange(part.Gzip.Length / (double)count, 40, most);
    }

    [Fact]
    public void Each_row_is_one_line_of_JSON_without_needless_escapes()
    {
        using var writer = new RowWriter();

        var part = writer.Write(Readings(3), 3, 0, 3, "C", Now, Fail).Single();

        var text = Encoding.UTF8.GetString(Call.Gunzip(part.Gzip.ToArray()));
        Assert.Equal(part.UncompressedBytes, text.Length);
        Assert.Equal(3, text.Count(letter => letter == '\n'));
        Assert.EndsWith("}\n", text);
        Assert.DoesNotContain("\\u", text);
        Assert.Contains("\"datetimestamp\":\"2026-11-20T10:00:00.500000+00:00\"", text);
    }

    [Fact]
    public void A_batch_without_rows_makes_no_append()
    {
        using var writer = new RowWriter();

        Assert.Empty(writer.Write([], 0, 5, 5, "C", Now, Fail));
    }

    [Fact]
    public void The_same_batch_gives_the_same_bytes()
    {
        using var one = new RowWriter();
        using var two = new RowWriter();

        var first = one.Write(Readings(50), 50, 0, 50, "C", Now, Fail).Single().Gzip.ToArray();
        _ = two.Write(Readings(7), 7, 0, 7, "D", Now, Fail);
        var second = two.Write(Readings(50), 50, 0, 50, "C", Now, Fail).Single().Gzip.ToArray();

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
            Host = new Host { Hostname = "raspberrypi", LocalHostname = "raspberrypi.local", IpAddress = "192.168.1.20", MacAddress = "b8:27:eb:01:02:03", StartedAtUs = Instants.ToMicroseconds(Now.AddDays(-3)) },
        };
        var id = new byte[16];
        for (var i = 0; i < count; i++)
        {
            random.NextBytes(id);
            message.Thermal.Add(new ThermalReading
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
            });
        }
        var payload = Payload.Decode(message.ToByteArray(), false, "raspberrypi", ReadingKind.Thermal, Now);
        return Enumerable.Range(0, count).Select(i => new BatchReading(i, payload, i));
    }
}
