using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

public sealed class BatchPlanTests(ITestOutputHelper output)
{
    static readonly GroupKey Group = new(ReadingKind.Inverter, new DateOnly(2026, 11, 20), Quarantined: false);

    [Fact]
    public void A_split_loses_nothing_has_no_empty_part_and_keeps_the_order()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        for (var run = 0; run < 2000; run++)
        {
            var files = random.Next(1, 101);
            List<long> offsets =
            [
                .. Enumerable.Range(0, random.Next(1, 500)).Where(i => i == 0 || random.Next(3) > 0).Select(i => 1000L + i),
            ];

            var group = PlannedGroup.Split(Group, offsets, files);

            Assert.Equal(Math.Min(files, offsets.Count), group.Parts.Count);
            Assert.Equal(Enumerable.Range(1, group.Parts.Count), group.Parts.Select(part => part.Number));
            Assert.True(group.Parts.Max(part => part.Rows) - group.Parts.Min(part => part.Rows) <= 1);
            var byPart = offsets.GroupBy(group.PartOf).ToList();
            Assert.Equal(group.Parts.Select(part => part.Rows), byPart.Select(part => part.Count()));
            Assert.Equal(group.Parts.Select(part => part.First), byPart.Select(part => part.First()));
        }
    }

    [Fact]
    public void Comes_back_from_disk_as_it_was()
    {
        using var directory = new TempDirectory();
        var plan = Plan();

        plan.Save(directory.Path);
        var loaded = BatchPlan.Load(directory.Path)!;

        Assert.Equal(plan with { Groups = loaded.Groups }, loaded);
        Assert.Equal(plan.Groups.Select(group => group.Key), loaded.Groups.Select(group => group.Key));
        Assert.Equal(plan.Groups.SelectMany(group => group.Parts), loaded.Groups.SelectMany(group => group.Parts));
        Assert.Equal(Keys(plan), Keys(loaded));
        Assert.Null(BatchPlan.Load(Path.GetTempPath()));
    }

    [Fact]
    public void A_file_cut_or_changed_at_any_byte_is_not_taken_for_a_plan()
    {
        using var directory = new TempDirectory();
        Plan().Save(directory.Path);
        var path = directory.File(BatchPlan.FileName);
        var bytes = File.ReadAllBytes(path);

        for (var length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(path, bytes[..length]);

            Assert.Throws<FormatException>(() => BatchPlan.Load(directory.Path));

            var changed = bytes.ToArray();
            changed[length] ^= 1;
            File.WriteAllBytes(path, changed);

            Assert.Throws<FormatException>(() => BatchPlan.Load(directory.Path));
        }
    }

    [Fact]
    public void Keys_say_kind_time_journal_slot_offset_and_part()
    {
        Assert.Equal(
            [
                "inverter-data/2026-11-20/inverter-20261121T000001Z-00000000deadbeef-slot-3-00000000000000000100-1of2.json.gz",
                "inverter-data/2026-11-20/inverter-20261121T000001Z-00000000deadbeef-slot-3-00000000000000000100-2of2.json.gz",
                "bad/2026-11-19/inverter-20261121T000001Z-00000000deadbeef-slot-3-00000000000000000100-1of1.json.gz",
            ],
            Keys(Plan())
        );
    }

    /// <summary>A version before templates would file hours and devices together, under one key: it must not take such a plan for its
    /// own.</summary>
    [Fact]
    public void A_plan_with_folders_has_a_version_of_its_own_and_comes_back_as_it_was()
    {
        using var directory = new TempDirectory();
        var plan = Plan();
        plan.Save(directory.Path);
        Assert.StartsWith("{\"version\":1,", File.ReadAllText(directory.File(BatchPlan.FileName)), StringComparison.Ordinal);
        var group = new GroupKey(ReadingKind.Inverter, new DateOnly(2026, 11, 20), Quarantined: false, 7, "pi roof");
        plan = plan with
        {
            Settings = plan.Settings with
            {
                Compression = ObjectCompression.Zstd,
                Template = PartitionTemplate.Parse("{date}/{hour}/{device}", out _),
            },
            Groups =
            [
                PlannedGroup.Split(group, [100], 1),
                PlannedGroup.Split(group.OfDate, [101], 1),
                PlannedGroup.Split(group.OfOtherDates, [102], 1),
            ],
        };

        plan.Save(directory.Path);
        var loaded = BatchPlan.Load(directory.Path)!;

        Assert.StartsWith("{\"version\":2,", File.ReadAllText(directory.File(BatchPlan.FileName)), StringComparison.Ordinal);
        Assert.Equal(plan with { Groups = loaded.Groups }, loaded);
        Assert.Equal(plan.Groups.Select(one => one.Key), loaded.Groups.Select(one => one.Key));
        Assert.Equal(
            ["inverter-data/2026-11-20/07/pi!20roof", "inverter-data/2026-11-20/!other/!other", "inverter-data/other-dates"],
            Keys(loaded).Select(key => key[..key.LastIndexOf('/')])
        );
        Assert.All(Keys(loaded), key => Assert.EndsWith("-1of1.json.zst", key, StringComparison.Ordinal));
    }

    static IEnumerable<string> Keys(BatchPlan plan) => plan.Groups.SelectMany(group => group.Parts.Select(part => plan.Key(group, part)));

    static BatchPlan Plan() =>
        new()
        {
            Id = "0199c0ffee",
            Epoch = "00000000deadbeef",
            Slot = "slot-3",
            First = 100,
            End = 107,
            CreatedAt = new DateTimeOffset(2026, 11, 21, 0, 0, 1, 234, TimeSpan.Zero),
            Destination = new Destination("readings", "inverter-data/", "bad/"),
            Settings = new ContentSettings(
                ObjectFormat.Array,
                ObjectCompression.Gzip,
                "Europe/Berlin",
                InvalidReadings.Quarantine,
                ValidationRules.Default.Identity
            ),
            Groups =
            [
                PlannedGroup.Split(Group, [100, 101, 104, 105, 106], 2),
                PlannedGroup.Split(new GroupKey(ReadingKind.Inverter, new DateOnly(2026, 11, 19), Quarantined: true), [102, 103], 1),
            ],
        };
}
