using System.Buffers;
using System.Text.Json;
using Google.Protobuf;

namespace ThermalStreaming.Readings.Tests;

/// <summary>What a batch says of all its readings stands in each of their rows.</summary>
public sealed class BatchQualityTests
{
    static readonly DateTimeOffset now = new(2026, 11, 29, 18, 0, 0, TimeSpan.Zero);

    static Payload Decode(ReadOnlyMemory<byte> batch, ReadingKind kind) => Payload.Decode(batch, isJson: false, "pi", kind, now);

    static string? Quality(Payload payload, int index)
    {
        var row = new ArrayBufferWriter<byte>();
        payload.WriteRow(index, row, new RowStamp(now, "channel"), 0);
        using var json = JsonDocument.Parse(row.WrittenMemory);
        return json.RootElement.TryGetProperty("quality", out var quality) ? quality.GetString() : null;
    }

    static byte[] Thermal(string batch, params string[] own)
    {
        var made = new ReadingBatch { Quality = batch };
        foreach (var quality in own)
        {
            var reading = new ThermalReading { TemperatureC = 21 };
            if (quality.Length > 0)
                reading.Quality = quality;
            made.Thermal.Add(reading);
        }
        return made.ToByteArray();
    }

    [Fact]
    public void It_joins_what_a_thermal_reading_says_of_itself()
    {
        var payload = Decode(Thermal("clock:Unsynchronised", "", "icp10125:Stuck"), ReadingKind.Thermal);

        Assert.Equal("clock:Unsynchronised", Quality(payload, 0));
        Assert.Equal("icp10125:Stuck,clock:Unsynchronised", Quality(payload, 1));
        // Also in what is left of a batch.
        Assert.Equal("icp10125:Stuck,clock:Unsynchronised", Quality(Decode(payload.Select([1]), ReadingKind.Thermal), 0));
    }

    [Fact]
    public void It_stands_in_the_rows_of_inverters()
    {
        var batch = new ReadingBatch { Quality = "clock:Unsynchronised" };
        batch.Inverters.Add(new InverterReading { InverterId = "Inverter_1" });
        var payload = Decode(batch.ToByteArray(), ReadingKind.Inverter);

        Assert.Equal("clock:Unsynchronised", Quality(payload, 0));
        Assert.Equal("clock:Unsynchronised", payload.Inverter(0).Quality);
    }

    [Theory]
    [InlineData(179, true)]
    [InlineData(180, false)]
    public void A_text_of_more_than_200_characters_is_not_made(int own, bool isJoined) =>
        Assert.Equal(
            new string('x', own) + (isJoined ? ",clock:Unsynchronised" : ""),
            Quality(Decode(Thermal("clock:Unsynchronised", new string('x', own)), ReadingKind.Thermal), 0)
        );

    [Fact]
    public void Text_that_would_break_a_row_is_left_out() => Assert.Null(Quality(Decode(Thermal("\"}", ""), ReadingKind.Thermal), 0));
}
