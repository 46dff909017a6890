using System.Globalization;
using Google.Protobuf;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;
using ThermalStreaming.SensorAgent;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>
/// The table of docs/cost.md, measured: some minutes of an installation go through the real sink into a store, cut into batches as the
/// forwarder cuts them, and are counted by the real book; a day is so many times that. The page must say the same.
/// </summary>
public sealed class CostOfADayTests(ITestOutputHelper output) : SinkTest
{
    /// <summary>S3_BATCH_MAX_BYTES over what a reading is taken for before it is written: 8 MiB by 1,200 bytes.</summary>
    const int MostReadings = (8 << 20) / 1200;

    [Theory]
    [InlineData("1 Pi, 2 readings/s", 0, 60)]
    [InlineData("60 inverters", 60, 60)]
    [InlineData("10,000 inverters", 10_000, 3)]
    public async Task The_page_says_what_a_day_costs(string installation, int inverters, int minutes)
    {
        var one = await MeasureAsync(inverters, minutes, files: 1);
        var four = await MeasureAsync(inverters, minutes, files: 4);
        var days = minutes / 1440.0;
        var readings = one.Rows / days;
        var billed = one.BilledBytes / days;
        var prices = CostPrices.Default;

        var row = string.Create(
            CultureInfo.InvariantCulture,
            $"| {installation} | {readings:#,0} | {billed / 1e6:#,0.0} | {prices.Credits(CostRoad.Streaming, billed):0.00000} | {prices.Dollars(CostRoad.Streaming, billed, 0, 0):0.0000} | {one.Requests / days:#,0} | {Files(one):0.0000} | {four.Requests / days:#,0} | {Files(four):0.0000} |"
        );
        output.WriteLine(row);
        output.WriteLine(
            FormattableString.Invariant(
                $"{(double)one.BilledBytes / one.Rows:0.0} bytes billed a reading, {one.Messages} of {one.Objects} objects loaded"
            )
        );

        Assert.Contains(row, Page());

        double Files(CostFigures sent) =>
            prices.Dollars(CostRoad.Files, sent.BilledBytes / days, sent.Requests / days, sent.Messages / days);
    }

    /// <summary>Minute by minute, as with S3_BATCH_LINGER=1m; or whenever a batch is full.</summary>
    async Task<CostFigures> MeasureAsync(int inverters, int minutes, int files)
    {
        using var spool = new Spool { BatchReadings = inverters > 0 ? Math.Min(MostReadings, inverters * 3) : 120 };
        var fleet = new InverterFleet(Math.Max(1, inverters), seed: 1, TimeSpan.FromSeconds(20), hasDaylight: false);
        var at = Spool.Noon;
        for (var minute = 0; minute < minutes; minute++)
        {
            for (var cycle = 0; cycle < 3; cycle++)
            {
                at = at.AddSeconds(20);
                if (inverters > 0)
                    foreach (var message in Enumerable.Range(0, inverters).Chunk(500))
                        spool.AddInverters([.. message.Select(index => fleet.Read(index, at))], at);
                else
                    spool.AddThermal(Thermal(at));
            }
        }
        await using var store = await FakeS3.StartAsync();
        var options = Options(files) with { Endpoint = store.Address };
        await spool.DeliverAsync(spool.NewSink(options, S3Client.Create(options)));
        return spool.Cost.Report().Counted;
    }

    /// <summary>Two readings a second for 20 s, with every sensor.</summary>
    static ReadingBatch Thermal(DateTimeOffset at)
    {
        var batch = new ReadingBatch
        {
            DeviceId = Spool.Device,
            BootId = Spool.Boot,
            Host = new Host
            {
                Hostname = "raspberrypi",
                LocalHostname = "raspberrypi.local",
                IpAddress = "192.168.178.42",
                MacAddress = "b8:27:eb:01:02:03",
                StartedAtUs = Instants.ToMicroseconds(at.AddDays(-3)),
            },
        };
        for (var i = 0; i < 40; i++)
            batch.Thermal.Add(
                new ThermalReading
                {
                    ObservedAtUs = Instants.ToMicroseconds(at.AddSeconds(i * 0.5)),
                    Id = ByteString.CopyFrom(new byte[16]),
                    DurationUs = 1234,
                    TemperatureC = 21.5625 + i * 0.01,
                    HumidityPercent = 43.21,
                    Co2Ppm = 745,
                    PressurePa = 101_325.25,
                    IcpTemperatureF = 71.25,
                    EquivalentCo2Ppm = 412,
                    TvocPpb = 17,
                    CpuTemperatureC = 51.3,
                    CpuPercent = 12.5,
                    MemoryPercent = 34.1,
                    DiskFreeMb = 24_310,
                    Sensors = "scd4x,icp10125,sgp30",
                }
            );
        return batch;
    }

    static string[] Page()
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "docs/cost.md")))
            at = Path.GetDirectoryName(at.TrimEnd('/')) ?? throw new FileNotFoundException("docs/cost.md");
        return File.ReadAllLines(Path.Combine(at, "docs/cost.md"));
    }
}
