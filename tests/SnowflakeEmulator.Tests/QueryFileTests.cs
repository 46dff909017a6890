using System.Globalization;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>Every statement of sql/queries, as it is, on rows whose answers are known.</summary>
public sealed class QueryFileTests : IAsyncLifetime
{
    // pi-1 takes a reading a minute, the last half a minute ago; number 5 is missing, and number 3 came twice. pi-2 took eleven
    // readings yesterday and one, much hotter, in the same hour of today.
    sealed record Reading(
        string Device,
        string Boot,
        int Sequence,
        DateTime At,
        double Temperature,
        double Co2,
        double Cpu,
        string Channel,
        int Offset,
        int DelaySeconds = 2
    );

    static readonly DateTime Now = TimeProvider.System.GetUtcNow().UtcDateTime;
    static readonly DateTime Today = new DateTime(Now.Year, Now.Month, Now.Day, Now.Hour, 0, 0, DateTimeKind.Utc).AddHours(-1);

    static readonly Reading[] Sent =
    [
        .. new[] { 1, 2, 3, 4, 6, 7, 8, 9, 10 }.Select(i => new Reading(
            "pi-1",
            "b1",
            i,
            Now.AddSeconds(-30).AddMinutes(i - 10),
            20 + i,
            i >= 8 ? 1300 + i : 500,
            i == 10 ? 95 : 10,
            "CH-1",
            i < 5 ? i : i + 99
        )),
        new Reading("pi-1", "b1", 3, Now.AddSeconds(-30).AddMinutes(-7), 23, 500, 10, "CH-2", 7, DelaySeconds: 62),
        .. Enumerable.Range(1, 11).Select(i => new Reading("pi-2", "c1", i, Today.AddDays(-1).AddMinutes(i), 20, 600, 10, "CH-3", i)),
        new Reading("pi-2", "c1", 12, Today.AddMinutes(10), 40, 600, 10, "CH-3", 12),
    ];

    static readonly Reading[] Once = [.. Sent.Where(r => r.Channel != "CH-2")];

    Emulator emulator = null!;

    public async ValueTask InitializeAsync()
    {
        emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", string.Concat(Sent.Select(Line)));
        await QueryTests.RunAsync(emulator, File("01_views.sql"));
    }

    public async ValueTask DisposeAsync() => await emulator.DisposeAsync();

    static string Line(Reading r)
    {
        static string Time(DateTime time) => time.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
        return string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            {"device_id":"{{r.Device}}","hostname":"host","boot_id":"{{r.Boot}}","sequence":{{r.Sequence}},"datetimestamp":"{{Time(
                r.At
            )}}","forwarded_at":"{{Time(r.At.AddSeconds(r.DelaySeconds))}}","temperature":{{r.Temperature}},"humidity":{{r.Temperature
                * 2}},"co2":{{r.Co2}},"cpu":{{r.Cpu}},"cputempf":140,"channel_id":"{{r.Channel}}","stream_offset":{{r.Offset}},"totalvocppb":{{(
                r.Sequence % 2 == 0 ? "5" : "null"
            )}}{{(r.Sequence == 12 ? ",\"quality\":\"scd4x:Jump\",\"under_voltage\":true,\"throttled\":5,\"uptime_s\":5400" : "")}}}

            """
        );
    }

    static string File(string name) => Emulator.Find("sql/queries/" + name);

    static double D(JsonNode row, string column) => (double)row[column]!;

    static string S(JsonNode row, string column) => (string)row[column]!;

    static string Sql(DateTime time) => time.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);

    static DateTime Hour(DateTime time) => new(time.Year, time.Month, time.Day, time.Hour, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task The_latest_reading_and_the_freshness_of_each_device()
    {
        var results = await QueryTests.RunAsync(emulator, File("02_latest_and_freshness.sql"));

        Assert.Equal(["pi-1:30", "pi-2:40"], results[0].Select(r => $"{S(r, "DEVICE")}:{D(r, "TEMPERATURE")}"));
        Assert.Equal(60, D(results[0][0], "CPUTEMP_C"), 9);
        Assert.InRange(D(results[0][0], "AGE_SECONDS"), 30, 60 * 60);
        Assert.Equal("pi-2:silent", $"{S(results[1][0], "DEVICE")}:{S(results[1][0], "STATE")}");
        Assert.Contains(S(results[1][1], "STATE"), (string[])["fresh", "late"]);
        Assert.Null(results[2][0]["UNDER_VOLTAGE"]);
        Assert.Equal(
            (true, 5.0, 1.5, "scd4x:Jump"),
            (
                (bool)results[2][1]["UNDER_VOLTAGE"]!,
                D(results[2][1], "THROTTLED"),
                D(results[2][1], "UPTIME_HOURS"),
                S(results[2][1], "QUALITY")
            )
        );
    }

    [Fact]
    public async Task Hours_days_moving_averages_and_trends()
    {
        var results = await QueryTests.RunAsync(emulator, File("03_aggregates_and_trends.sql"));

        var hours = Once.Where(r => Hour(r.At) >= Now.AddHours(-24))
            .GroupBy(r => (r.Device, Hour: Hour(r.At)))
            .OrderBy(g => g.Key.Device)
            .ThenBy(g => g.Key.Hour);
        Assert.Equal(
            hours.Select(g => $"{g.Key.Device} {Sql(g.Key.Hour)} {g.Count()} {g.Average(r => r.Temperature):F6} {g.Max(r => r.Co2)}"),
            results[0].Select(r => $"{S(r, "DEVICE")} {S(r, "HOUR")} {r["READINGS"]} {D(r, "TEMPERATURE_AVG"):F6} {D(r, "CO2_MAX")}")
        );
        var days = Once.GroupBy(r => (r.Device, Day: r.At.Date)).OrderBy(g => g.Key.Device).ThenBy(g => g.Key.Day);
        Assert.Equal(
            days.Select(g => $"{g.Key.Device} {Sql(g.Key.Day)} {g.Count()} {g.Min(r => r.Temperature)} {g.Max(r => r.Temperature)}"),
            results[1].Select(r => $"{S(r, "DEVICE")} {S(r, "DAY")} {r["READINGS"]} {D(r, "TEMPERATURE_MIN")} {D(r, "TEMPERATURE_MAX")}")
        );
        var moving = results[2].Where(r => S(r, "DEVICE") == "pi-1").ToList();
        Assert.Equal([21, 21.5, 22, 22.5], moving.Take(4).Select(r => D(r, "TEMPERATURE_10_MINUTES")));
        Assert.Equal(Once.Where(r => r.Device == "pi-1").Average(r => r.Temperature), D(moving[^1], "TEMPERATURE_10_MINUTES"), 9);
        Assert.Equal(60, D(results[3][0], "DEGREES_PER_HOUR"), 6);
        Assert.Null(results[3][1]["DEGREES_PER_HOUR"]);
        var change = Assert.Single(results[4]);
        Assert.Equal($"pi-2 {Sql(Today)}", $"{S(change, "DEVICE")} {S(change, "HOUR")}");
        Assert.Equal(20, D(change, "TEMPERATURE_CHANGE"));
    }

    [Fact]
    public async Task Readings_beyond_a_limit_and_their_episodes()
    {
        var results = await QueryTests.RunAsync(emulator, File("04_thresholds.sql"));

        Assert.Equal([1310, 1309, 1308], results[0].Select(r => D(r, "CO2")));
        Assert.Equal(["pi-2:40"], results[1].Select(r => $"{S(r, "DEVICE")}:{D(r, "TEMPERATURE")}"));
        Assert.Equal(["pi-1:95"], results[2].Select(r => $"{S(r, "DEVICE")}:{D(r, "CPU")}"));
        var episode = Assert.Single(results[3]);
        Assert.Equal(2, D(episode, "MINUTES"));
        Assert.Equal(1310, D(episode, "PEAK_PPM"));
    }

    [Fact]
    public async Task What_is_unusual_and_what_goes_together()
    {
        var results = await QueryTests.RunAsync(emulator, File("05_anomalies_and_correlation.sql"));

        var unusual = Assert.Single(results[0]);
        Assert.Equal("pi-2:40", $"{S(unusual, "DEVICE")}:{D(unusual, "TEMPERATURE")}");
        Assert.Equal(3.175426, D(unusual, "TEMPERATURE_SIGMAS"), 6);
        Assert.Null(unusual["CO2_SIGMAS"]);
        Assert.Equal([9, 12], results[1].Select(r => D(r, "READINGS")));
        Assert.Equal(1, D(results[1][0], "TEMPERATURE_HUMIDITY"), 9);
        Assert.Null(results[1][1]["TEMPERATURE_CO2"]);
    }

    [Fact]
    public async Task Minutes_latency_channels_and_completeness()
    {
        var results = await QueryTests.RunAsync(emulator, File("06_ingestion.sql"));

        Assert.Equal(60, results[0].Count);
        var minutes = results[0].Select(r => DateTime.Parse(S(r, "MINUTE"), CultureInfo.InvariantCulture)).ToList();
        Assert.All(minutes.Zip(minutes.Skip(1)), pair => Assert.Equal(TimeSpan.FromMinutes(1), pair.Second - pair.First));
        Assert.InRange(results[0].Sum(r => D(r, "ROW_COUNT")), 10, 11);
        Assert.Equal(62, results[1].Max(r => D(r, "LONGEST_S")));
        Assert.Equal(2, results[1].Min(r => D(r, "P50_S")));
        Assert.Equal(
            ["CH-1 9 1 109", "CH-2 1 7 7", "CH-3 12 1 12"],
            results[2].Select(r => $"{S(r, "CHANNEL_ID")} {r["ROW_COUNT"]} {r["FIRST_OFFSET"]} {r["LAST_OFFSET"]}").Order()
        );
        var complete = results[3].Single(r => S(r, "DEVICE") == "pi-1");
        Assert.Equal(1, D(complete, "TEMPERATURE"));
        Assert.Equal(0.5, D(complete, "TOTALVOCPPB"), 9);
        Assert.Equal(0, D(complete, "PRESSURE"));
        var odd = Assert.Single(results[4]);
        Assert.Equal(("pi-2", "scd4x:Jump", 1.0), (S(odd, "DEVICE"), S(odd, "QUALITY"), D(odd, "ROW_COUNT")));
    }

    [Fact]
    public async Task Pauses_of_a_device()
    {
        var pause = Assert.Single(Assert.Single(await QueryTests.RunAsync(emulator, File("07_gaps_in_time.sql"))));

        Assert.Equal("pi-2", S(pause, "DEVICE"));
        Assert.Equal((Today.AddMinutes(10) - Today.AddDays(-1).AddMinutes(11)).TotalSeconds, D(pause, "SECONDS"));
        Assert.Equal(60, D(pause, "USUAL_SECONDS"));
    }

    [Fact]
    public async Task Rows_that_are_missing_between_forwarder_and_table()
    {
        var gap = Assert.Single(Assert.Single(await QueryTests.RunAsync(emulator, File("08_gaps_in_the_stream.sql"))));

        Assert.Equal("CH-1 4 105 100", $"{S(gap, "CHANNEL_ID")} {gap["BEFORE_GAP"]} {gap["AFTER_GAP"]} {gap["MISSING_OFFSETS"]}");
    }

    [Fact]
    public async Task Readings_that_are_missing_between_sensor_and_table()
    {
        var results = await QueryTests.RunAsync(emulator, File("09_gaps_in_sequence.sql"));

        var gap = Assert.Single(results[0]);
        Assert.Equal("pi-1 5 5 1", $"{S(gap, "DEVICE")} {gap["FIRST_MISSING"]} {gap["LAST_MISSING"]} {gap["MISSING_READINGS"]}");
        Assert.Equal(
            ["pi-1 9 10 1", "pi-2 12 12 0"],
            results[1].Select(r => $"{S(r, "DEVICE")} {r["ARRIVED"]} {r["HIGHEST_NUMBER"]} {r["MISSING_READINGS"]}")
        );
    }

    [Fact]
    public async Task Readings_that_arrived_twice()
    {
        var copies = Assert.Single(Assert.Single(await QueryTests.RunAsync(emulator, File("10_duplicates.sql"))));

        Assert.Equal("pi-1 3 2", $"{S(copies, "DEVICE_ID")} {copies["SEQUENCE"]} {copies["COPIES"]}");
        Assert.Equal(["CH-1:3", "CH-2:7"], S(copies, "WHERE_FROM").Split(", ").Order());
    }

    [Fact]
    public void Every_file_is_here()
    {
        var known = "01 02 03 04 05 06 07 08 09 10".Split(' ');

        Assert.Equal(known, Directory.GetFiles(Emulator.Find("sql/queries"), "*.sql").Select(f => Path.GetFileName(f)[..2]).Order());
    }
}
