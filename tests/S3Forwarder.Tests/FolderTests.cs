using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>Folders by hour and device, in zones that change their clocks; never too many, and finished after any crash.</summary>
public sealed class FolderTests(ITestOutputHelper output) : SinkTest
{
    [Theory]
    [InlineData("{date}", "2026-11-20")]
    [InlineData("year={year}/month={month}/day={day}/hour={hour}", "year=2026/month=11/day=20/hour=07")]
    [InlineData("{device}/{date}", "pi-roof/2026-11-20")]
    [InlineData("{kind}/{date}", "inverter/2026-11-20")]
    public void A_template_is_filled_in(string template, string expected) =>
        Assert.Equal(expected, Template(template).Folder(ReadingKind.Inverter, new DateOnly(2026, 11, 20), 7, "pi-roof"));

    [Theory]
    [InlineData("{hour}", "must have {date}")]
    [InlineData("{year}/{month}", "must have {date}")]
    [InlineData("{date}/{minute}", "has {minute}; known are {date}, {year}, {month}, {day}, {hour}, {device}, {kind}")]
    [InlineData("{date}/", "must not begin or end with a slash")]
    [InlineData("a//{date}", "an empty folder")]
    [InlineData("../{date}", "the folders . or ..")]
    [InlineData("a b/{date}", "not safe in a key")]
    [InlineData("{date}!", "not safe in a key")]
    [InlineData("{date", "must have {date}")]
    public void A_template_that_cannot_be_is_explained(string template, string expected)
    {
        Assert.Null(PartitionTemplate.Parse(template, out var problem));
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    /// <summary>Two devices in one folder would be two objects under one key, of which one is never uploaded.</summary>
    [Fact]
    public void No_two_devices_have_the_same_folder()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var devices = new HashSet<string>(StringComparer.Ordinal)
        {
            "!other",
            "other",
            ".",
            "..",
            "!21",
            "!",
            "a b",
            "a!20b",
            "ü",
            "u\u0308",
        };
        var alphabet = "ab!.2 %üé漢\U0001F600";
        while (devices.Count < 5_000)
        {
            var device = string.Concat(Enumerable.Range(0, random.Next(1, 101)).Select(_ => alphabet[random.Next(10)]));
            if (Topics.IsDeviceId(device))
                devices.Add(device);
        }
        var folders = devices.Select(device => Template("{date}/{device}").Folder(ReadingKind.Inverter, default, null, device)).ToList();

        Assert.Equal(
            devices.Count,
            folders.Append(Template("{date}/{device}").Folder(ReadingKind.Inverter, default, null, null)).Distinct().Count() - 1
        );
        Assert.All(
            folders,
            folder =>
            {
                Assert.Matches("^0001-01-01/[A-Za-z0-9_.!-]+$", folder);
                Assert.DoesNotContain(folder.Split('/'), part => part is "." or "..");
                Assert.InRange(folder.Length, 12, "0001-01-01/".Length + PartitionTemplate.MaxDeviceLength);
            }
        );
    }

    [Theory]
    // The clocks go back at 01:00 UTC: the hour from 2 to 3 comes twice and is one folder.
    [InlineData("Europe/Berlin", "2026-10-24T23:30:00Z", "2026-10-25/01")]
    [InlineData("Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25/02")]
    [InlineData("Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25/02")]
    [InlineData("Europe/Berlin", "2026-10-25T02:30:00Z", "2026-10-25/03")]
    // They go forward: there is no hour from 2 to 3.
    [InlineData("Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29/01")]
    [InlineData("Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29/03")]
    // Half an hour.
    [InlineData("Australia/Lord_Howe", "2026-04-04T14:59:00Z", "2026-04-05/01")]
    [InlineData("Australia/Lord_Howe", "2026-04-04T15:00:00Z", "2026-04-05/01")]
    [InlineData("Asia/Kathmandu", "2026-05-01T18:14:59Z", "2026-05-01/23")]
    [InlineData("Asia/Kathmandu", "2026-05-01T18:15:00Z", "2026-05-02/00")]
    [InlineData("America/St_Johns", "2026-11-01T02:29:59Z", "2026-10-31/23")]
    public async Task Hours_follow_the_clock_of_the_zone(string zone, string observedAt, string expected)
    {
        Spool.AddInverters(1, DateTimeOffset.Parse(observedAt, System.Globalization.CultureInfo.InvariantCulture));

        await Spool.DeliverAsync(
            NewSink(Options() with { Template = Template("{date}/{hour}"), TimeZone = TimeZoneInfo.FindSystemTimeZoneById(zone) })
        );

        Assert.StartsWith($"inverter-data/{expected}/inverter-", Assert.Single(S3.In()).Key, StringComparison.Ordinal);
    }

    /// <summary>A device that was away for a year sends everything at once: its days do not become thousands of requests.</summary>
    [Theory]
    [InlineData("{date}", 8 + 1)]
    [InlineData("{date}/{hour}", 64 + 8 + 1)]
    [InlineData("{device}/{date}/{hour}", 64 + 8 + 1)]
    public async Task A_year_of_late_readings_in_one_batch_becomes_few_objects(string template, int most)
    {
        for (var device = 0; device < 4; device++)
            Spool.AddInverters(
                2_190,
                change: (i, reading) => reading.ObservedAtUs = Instants.ToMicroseconds(Spool.Noon.AddHours(-4 * i)),
                device: $"pi-{device}"
            );
        Spool.BatchReadings = 10_000;

        await Spool.DeliverAsync(NewSink(Options(files: 1) with { Template = Template(template) }));

        AssertOnce(4 * 2_190);
        Assert.InRange(S3.Calls.Count(call => call.Method == "PUT"), 9, most);
        // The own date stays where there are too many hours or devices.
        Assert.Equal(
            !template.Contains("device", StringComparison.Ordinal),
            !S3.In().Any(entry => entry.Key.Contains("!other", StringComparison.Ordinal))
        );
    }

    /// <summary>A device that sends what it has kept bit by bit: not a tiny object for each of its days in each batch.</summary>
    [Theory]
    [InlineData("{date}")]
    [InlineData("{date}/{hour}")]
    public async Task Few_late_readings_share_an_object_and_many_have_their_own_date(string template)
    {
        Spool.AddInverters(5);
        Spool.AddInverters(1, Spool.Noon.AddDays(-1));
        Spool.AddInverters(9, change: (i, reading) => reading.ObservedAtUs = Instants.ToMicroseconds(Spool.Noon.AddDays(-2 - i % 3)));
        Spool.AddInverters(10, Spool.Noon.AddDays(-30));

        await Spool.DeliverAsync(
            NewSink(
                Options(files: 1) with
                {
                    Template = Template(template),
                    Partitions = PartitionLimits.Default with { MinLateReadings = 10 },
                }
            )
        );

        AssertOnce(25);
        Assert.Equal(S3SinkTests.Numbers(7, 15), S3.Sequences("inverter-data/other-dates/"));
        Assert.Equal(S3SinkTests.Numbers(16, 25), S3.Sequences("inverter-data/2026-10-21/"));
        Assert.Equal([6UL], S3.Sequences("inverter-data/2026-11-19/"));
        Assert.Equal(4, S3.In().Count);
    }

    [Theory]
    [InlineData(-2, 5)]
    [InlineData(-1, 1)]
    [InlineData(0, 1)]
    [InlineData(-2_000, 1)]
    public async Task Batches_wait_longer_while_late_readings_come(int days, int minutes)
    {
        var options = Options() with { Partitions = PartitionLimits.Default with { LateAge = TimeSpan.FromMinutes(5) } };
        options = options with { Limits = options.Limits with { Linger = TimeSpan.FromMinutes(1) } };
        await using var sink = NewSink(options);
        Assert.Equal(TimeSpan.FromMinutes(1), sink.Limits.Linger);
        Spool.AddInverters(5);
        Spool.AddInverters(1, Spool.Noon.AddDays(days));

        await Spool.DeliverAsync(sink);

        Assert.Equal(TimeSpan.FromMinutes(minutes), sink.Limits.Linger);
        Assert.Equal(options.Limits.MaxReadings, sink.Limits.MaxReadings);

        Spool.AddInverters(5);
        await Spool.DeliverAsync(sink);

        Assert.Equal(TimeSpan.FromMinutes(1), sink.Limits.Linger);
        AssertOnce(11);
    }

    /// <summary>
    /// Interrupted at any request, restarted with other settings: each format, template and zone, finished as it was begun, byte for byte.
    /// </summary>
    [Fact]
    public async Task A_plan_with_folders_is_finished_as_it_was_made()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        string[] templates =
        [
            "{date}",
            "{date}/{hour}",
            "{device}/{date}",
            "y={year}/m={month}/d={day}/h={hour}/{device}",
            "{kind}/{date}",
        ];
        string[] zones = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Chatham"];
        var total = 0;
        var crashes = 0;
        for (var round = 0; round < 40; round++)
        {
            for (var messages = random.Next(0, 5); messages > 0; messages--)
            {
                var count = random.Next(1, 30);
                Spool.AddInverters(
                    count,
                    change: (_, reading) =>
                    {
                        // Around the two nights in which the clocks change.
                        var night = random.Next(2) == 0 ? new DateTime(2026, 10, 25) : new DateTime(2026, 3, 29);
                        reading.ObservedAtUs = Instants.ToMicroseconds(
                            new DateTimeOffset(night, TimeSpan.Zero).AddMinutes(random.Next(-2_000, 2_000))
                        );
                        reading.PacW = random.Next(5) == 0 ? 1 : 3000;
                    },
                    device: random.Next(3) switch
                    {
                        0 => "pi 1",
                        1 => "pi!1",
                        _ => "..",
                    }
                );
                total += count;
            }
            using var crash = new CancellationTokenSource();
            var crashAt = random.Next(1, 25);
            var requests = 0;
            S3.Script = call =>
                Interlocked.Increment(ref requests) == crashAt ? new S3Fault { After = crash.CancelAsync, AbortAfter = true } : null;
            var options = Options(files: random.Next(1, 4)) with
            {
                Template = Template(templates[random.Next(templates.Length)]),
                TimeZone = TimeZoneInfo.FindSystemTimeZoneById(zones[random.Next(zones.Length)]),
                Format = (ObjectFormat)random.Next(2),
                Compression = (ObjectCompression)random.Next(3),
                Partitions = PartitionLimits.Default with
                {
                    MaxDates = random.Next(1, 5),
                    MaxFolders = random.Next(1, 12),
                    MinLateReadings = random.Next(1, 8),
                },
            };
            try
            {
                await Spool.DeliverAsync(NewSink(options, retries: 0), loseCursor: random.Next(3) == 0, cancellationToken: crash.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SinkException)
            {
                crashes++;
            }
        }
        S3.Script = _ => null;

        await Spool.DeliverAsync(NewSink(Options()));

        output.WriteLine($"{total} readings, {S3.In().Count} objects, {crashes} crashes");
        Assert.InRange(crashes, 5, 40);
        AssertOnce(total);
    }

    static PartitionTemplate Template(string text)
    {
        var template = PartitionTemplate.Parse(text, out var problem);
        Assert.Null(problem);
        return template!;
    }
}
