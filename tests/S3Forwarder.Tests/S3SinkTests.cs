using System.Text.RegularExpressions;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>Which objects a batch becomes: keys, dates, formats, and what is quarantined.</summary>
public sealed partial class S3SinkTests : IAsyncLifetime
{
    readonly Spool spool = new();
    FakeS3 s3 = null!;

    public async ValueTask InitializeAsync() => s3 = await FakeS3.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await s3.DisposeAsync();
        spool.Dispose();
    }

    [Fact]
    public async Task Uploads_the_readings_under_their_own_date_in_as_many_objects_as_configured()
    {
        spool.AddInverters(61);

        await DeliverAsync();

        var objects = s3.In();
        Assert.Equal(4, objects.Count);
        Assert.All(objects, entry => Assert.Matches(KeyPattern(), entry.Key));
        Assert.Equal([15, 15, 15, 16], objects.Select(entry => Spool.Rows(entry.Key, entry.Value.Bytes).Count).Order());
        Assert.Equal(Numbers(1, 61), s3.Sequences());
        Assert.Equal(
            "inverter-data/2026-11-20/inverter-20261120T120001Z-00000000deadbeef-slot-0-00000000000000000000-1of4.json",
            objects[0].Key
        );
        Assert.All(objects, entry => Assert.Equal("application/x-ndjson", entry.Value.ContentType));
    }

    [Fact]
    public async Task Writes_the_rows_of_the_original()
    {
        spool.AddInverters(1);

        await DeliverAsync();

        var (key, value) = Assert.Single(s3.In());
        var row = Assert.Single(Spool.Rows(key, value.Bytes));
        Assert.Equal(
            [
                "id",
                "PAC",
                "energy_output",
                "energy_conversion_efficiency",
                "performance_ratio",
                "system_uptime",
                "temperature",
                "input_voltage",
                "output_voltage",
                "frequency",
                "fault_status",
                "device_id",
                "boot_id",
                "sequence",
                "observed_at",
            ],
            row.EnumerateObject().Select(property => property.Name)
        );
        Assert.Equal(230, row.GetProperty("output_voltage").GetDouble());
    }

    [Fact]
    public async Task A_batch_over_midnight_goes_to_both_dates()
    {
        var midnight = new DateTimeOffset(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);
        spool.AddInverters(10, change: (i, reading) => reading.ObservedAtUs = Instants.ToMicroseconds(midnight.AddSeconds(i - 5)));

        await DeliverAsync(files: 2);

        Assert.Equal([1, 2, 3, 4, 5], s3.Sequences("inverter-data/2026-11-20/"));
        Assert.Equal([6, 7, 8, 9, 10], s3.Sequences("inverter-data/2026-11-21/"));
        Assert.Equal(4, s3.In().Count);
    }

    [Fact]
    public async Task The_dates_follow_the_configured_zone()
    {
        spool.AddInverters(1, new DateTimeOffset(2026, 11, 20, 23, 30, 0, TimeSpan.Zero));

        await spool.DeliverAsync(
            NewSink(Options(zone: TimeZoneInfo.CreateCustomTimeZone("Berlin in winter", TimeSpan.FromHours(1), null, null)))
        );

        Assert.StartsWith("inverter-data/2026-11-21/", Assert.Single(s3.In()).Key, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Both_kinds_of_a_batch_go_to_objects_of_their_own()
    {
        spool.AddInverters(3);
        spool.AddThermal(3);

        await DeliverAsync(files: 1);

        Assert.Collection(
            s3.In(),
            entry => Assert.Contains("/inverter-", entry.Key, StringComparison.Ordinal),
            entry => Assert.Contains("/thermal-", entry.Key, StringComparison.Ordinal)
        );
        var thermal = Spool.Rows("", s3.In()[1].Value.Bytes);
        Assert.Equal([3, 4, 5], thermal.Select(row => row.GetProperty("stream_offset").GetInt64()));
    }

    [Fact]
    public async Task Quarantines_what_breaks_a_rule_with_the_reasons()
    {
        spool.AddInverters(
            5,
            change: (i, reading) =>
            {
                if (i == 1)
                    reading.ClearTemperatureC();
                if (i == 3)
                {
                    reading.PacW = 5001;
                    reading.FrequencyHz = double.NaN;
                }
            }
        );

        await DeliverAsync();

        Assert.Equal([1, 3, 5], s3.Sequences("inverter-data/"));
        var (key, value) = Assert.Single(
            s3.In(),
            entry => entry.Key.StartsWith("inverter-quarantine/2026-11-20/", StringComparison.Ordinal)
        );
        var rows = Spool.Rows(key, value.Bytes);
        Assert.Equal([2UL, 4UL], rows.Select(row => row.GetProperty("reading").GetProperty("sequence").GetUInt64()));
        Assert.Equal("""[{"rule":"temperature","problem":"missing"}]""", rows[0].GetProperty("reasons").GetRawText());
        Assert.Equal(
            ["PAC", "frequency"],
            rows[1].GetProperty("reasons").EnumerateArray().Select(reason => reason.GetProperty("rule").GetString())
        );
    }

    [Theory]
    [InlineData(InvalidReadings.Drop, new ulong[] { 1, 3 })]
    [InlineData(InvalidReadings.Forward, new ulong[] { 1, 2, 3 })]
    internal async Task Drops_or_forwards_what_breaks_a_rule_when_told(InvalidReadings validation, ulong[] expected)
    {
        spool.AddInverters(3, change: (i, reading) => reading.PacW = i == 1 ? 1 : 3000);

        await spool.DeliverAsync(NewSink(Options(validation: validation)));

        Assert.Equal(expected, s3.Sequences());
        Assert.Empty(s3.Sequences("inverter-quarantine/"));
        Assert.Equal(3, spool.Cursor);
    }

    [Fact]
    public async Task A_batch_of_which_nothing_is_left_is_committed_without_an_object()
    {
        spool.AddInverters(3, change: (_, reading) => reading.ClearPacW());

        await spool.DeliverAsync(NewSink(Options(validation: InvalidReadings.Drop)));

        Assert.Empty(s3.In());
        Assert.Equal(3, spool.Cursor);
    }

    [Theory]
    [InlineData(ObjectFormat.NdJson, ObjectCompression.Gzip, ".json.gz")]
    [InlineData(ObjectFormat.Array, ObjectCompression.None, ".json")]
    [InlineData(ObjectFormat.Array, ObjectCompression.Gzip, ".json.gz")]
    [InlineData(ObjectFormat.NdJson, ObjectCompression.Zstd, ".json.zst")]
    [InlineData(ObjectFormat.Array, ObjectCompression.Zstd, ".json.zst")]
    internal async Task Every_format_holds_every_row(ObjectFormat format, ObjectCompression compression, string extension)
    {
        spool.AddInverters(500);

        await spool.DeliverAsync(NewSink(Options(format: format, compression: compression)));

        Assert.Equal(Numbers(1, 500), s3.Sequences());
        Assert.All(s3.In(), entry => Assert.EndsWith(extension, entry.Key, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(UploadChecksum.Crc32C, "x-amz-checksum-crc32c", true)]
    [InlineData(UploadChecksum.Crc32C, "x-amz-checksum-crc32c", false)]
    [InlineData(UploadChecksum.Sha256, "x-amz-checksum-sha256", true)]
    [InlineData(UploadChecksum.Md5, "Content-MD5", false)]
    [InlineData(UploadChecksum.None, null, false)]
    internal async Task Each_upload_carries_the_checksum_that_the_store_verifies(UploadChecksum checksum, string? header, bool echoes)
    {
        spool.AddInverters(300);
        s3.EchoesChecksums = echoes;

        await spool.DeliverAsync(NewSink(Options() with { Checksum = checksum }));

        Assert.Equal(Numbers(1, 300), s3.Sequences());
        var puts = s3.Calls.Where(call => call.Method == "PUT").ToList();
        Assert.All(
            puts,
            call =>
                Assert.Equal(
                    header is null ? [] : [header],
                    call.Headers.Keys.Where(name =>
                        name.StartsWith("x-amz-checksum", StringComparison.OrdinalIgnoreCase) || name == "Content-MD5"
                    ),
                    StringComparer.OrdinalIgnoreCase
                )
        );
        Assert.All(puts, call => Assert.DoesNotContain("aws-chunked", call.Headers.ContentEncoding.ToString(), StringComparison.Ordinal));
    }

    internal static bool Once(HashSet<string> seen, string what)
    {
        lock (seen)
            return seen.Add(what);
    }

    internal static IEnumerable<ulong> Numbers(int first, int last) =>
        Enumerable.Range(first, last - first + 1).Select(number => (ulong)number);

    S3Options Options(
        int files = 4,
        InvalidReadings validation = InvalidReadings.Quarantine,
        ObjectFormat format = ObjectFormat.NdJson,
        ObjectCompression compression = ObjectCompression.None,
        TimeZoneInfo? zone = null
    ) =>
        new()
        {
            Region = "us-east-1",
            Bucket = "readings",
            Prefix = "inverter-data/",
            QuarantinePrefix = "inverter-quarantine/",
            Credentials = new AwsCredentials(FakeS3.AccessKeyId, "secret"),
            Endpoint = s3.Address,
            Files = files,
            Validation = validation,
            Format = format,
            Compression = compression,
            TimeZone = zone ?? TimeZoneInfo.Utc,
        };

    S3Sink NewSink(S3Options options, TimeProvider? clock = null) => spool.NewSink(options, S3Client.Create(options), clock);

    Task DeliverAsync(int files = 4) => spool.DeliverAsync(NewSink(Options(files)));

    [GeneratedRegex("^inverter-data/2026-11-20/inverter-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{16}-slot-0-[0-9]{20}-[1-4]of4[.]json$")]
    private static partial Regex KeyPattern();
}
