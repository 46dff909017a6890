using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Decides which objects a batch becomes. The number of objects is bounded, whatever dates the readings carry: see
/// <see cref="PartitionLimits"/>. Not thread-safe; one per batch.
/// </summary>
sealed class BatchPlanner(S3Options options)
{
    readonly Dictionary<GroupKey, List<long>> offsets = [];
    readonly Dictionary<string, int> brokenRules = new(StringComparer.Ordinal);
    int readings;
    int invalid;
    int dropped;

    /// <summary>Readings that the plan files under <see cref="PartitionLimits.OtherDates"/>.</summary>
    public int OtherDates { get; private set; }

    /// <summary>Whether plausible dates before yesterday were among the readings.</summary>
    public bool HasLate { get; private set; }

    public BatchPlan Plan(Batch batch, SlotContext slot, Destination destination, DateTimeOffset now)
    {
        Sort(batch);
        Merge(batch.CreatedAt);
        var split = Folders().Take(PartitionLimits.SplitDates).Select(folder => folder.Folder).ToHashSet();
        return new BatchPlan
        {
            Id = Guid.CreateVersion7(now).ToString("N"),
            Epoch = slot.Epoch,
            Slot = slot.Name,
            First = batch.FirstOffset,
            End = batch.EndOffset,
            Readings = readings,
            CreatedAt = batch.CreatedAt,
            Destination = destination,
            Settings = new ContentSettings(
                options.Format,
                options.Compression,
                options.TimeZone.Id,
                options.Validation,
                options.Rules.Identity,
                options.Template.ToString() == PartitionTemplate.Default.ToString() ? null : options.Template
            ),
            // Nothing loads the quarantine in parallel, so one object is enough.
            Groups =
            [
                .. offsets.Select(group =>
                    PlannedGroup.Split(
                        group.Key,
                        group.Value,
                        !group.Key.Quarantined && group.Key.Date is not null && split.Contains(FolderOf(group.Key)) ? options.Files : 1
                    )
                ),
            ],
        };
    }

    /// <summary>Counts what was found in the batch. To be called once the plan is on disk: until then the batch may be planned again.</summary>
    public void Report(S3Statistics statistics)
    {
        statistics.Validated(brokenRules, invalid, dropped);
        if (OtherDates > 0)
            statistics.FiledUnderOtherDates(OtherDates);
    }

    void Sort(Batch batch)
    {
        var checker = new RuleChecker(options.Rules);
        var classifier = new Classifier(options.Validation, options.TimeZone, options.Template, checker);
        var counting = new[] { ReadingKind.Inverter, ReadingKind.Thermal }
            .Where(kind => options.Rules.Of(kind).Any(rule => rule.Effect == RuleEffect.Count))
            .ToHashSet();
        GroupKey? lastKey = null;
        List<long>? last = null;
        foreach (var reading in batch.Readings())
        {
            readings++;
            var key = classifier.Classify(reading, out var isInvalid);
            if (isInvalid)
                invalid++;
            if (isInvalid || counting.Contains(reading.Payload.Kind))
                CountBrokenRules(checker, reading);
            if (key is not { } group)
            {
                dropped++;
                continue;
            }
            if (last is null || lastKey != key)
            {
                if (!offsets.TryGetValue(group, out last))
                    offsets[group] = last = [];
                lastKey = key;
            }
            last.Add(reading.Offset);
        }
    }

    /// <summary>
    /// Joins the groups of implausible dates, and of dates beyond the most frequent ones, into one per kind and fate; and joins folders
    /// beyond the most frequent ones into one per date, kind and fate.
    /// </summary>
    void Merge(DateTimeOffset now)
    {
        var least = options.Partitions.MinLateReadings;
        var (first, last) = options.Partitions.Window(now, options.TimeZone);
        var yesterday = Classifier.DateOf(now, options.TimeZone).AddDays(-1);
        HasLate = Dates().Any(date => date.Date >= first && date.Date < yesterday);
        var own = Dates()
            .Where(date => date.Date >= first && date.Date <= last && (date.Date >= yesterday || date.Readings >= least))
            .Take(options.Partitions.MaxDates)
            .Select(date => date.Date)
            .ToHashSet();
        foreach (var key in offsets.Keys.Where(key => !own.Contains(key.Date!.Value)).ToList())
        {
            OtherDates += offsets[key].Count;
            Move(key, key.OfOtherDates);
        }
        var folders = Folders()
            .Where(folder => folder.Folder.Date >= yesterday || folder.Readings >= least)
            .Take(options.Partitions.MaxFolders)
            .Select(folder => folder.Folder)
            .ToHashSet();
        foreach (
            var key in offsets.Keys.Where(key => key.Date is not null && key != key.OfDate && !folders.Contains(FolderOf(key))).ToList()
        )
            Move(key, key.OfDate);
        foreach (var group in offsets.Where(group => group.Key == group.Key.OfDate))
            group.Value.Sort();
    }

    void Move(GroupKey from, GroupKey to)
    {
        offsets.Remove(from, out var moved);
        if (offsets.TryGetValue(to, out var all))
            all.AddRange(moved!);
        else
            offsets[to] = moved!;
    }

    static (DateOnly? Date, int? Hour, string? Device) FolderOf(GroupKey key) => (key.Date, key.Hour, key.Device);

    /// <summary>The folders of the batch, in the order of <see cref="Dates"/>.</summary>
    IEnumerable<((DateOnly? Date, int? Hour, string? Device) Folder, int Readings)> Folders() =>
        offsets
            .Where(group => group.Key.Date is not null)
            .GroupBy(group => FolderOf(group.Key), group => group.Value.Count)
            .OrderByDescending(folder => folder.Sum())
            .ThenByDescending(folder => folder.Key.Date)
            .ThenByDescending(folder => folder.Key.Hour)
            .ThenBy(folder => folder.Key.Device, StringComparer.Ordinal)
            .Select(folder => (folder.Key, folder.Sum()));

    /// <summary>The dates of the batch, most frequent first; of equally frequent ones, the latest first.</summary>
    IEnumerable<(DateOnly Date, int Readings)> Dates() =>
        offsets
            .Where(group => group.Key.Date is not null)
            .GroupBy(group => group.Key.Date!.Value, group => group.Value.Count)
            .OrderByDescending(date => date.Sum())
            .ThenByDescending(date => date.Key)
            .Select(date => (date.Key, date.Sum()));

    void CountBrokenRules(RuleChecker checker, BatchReading reading)
    {
        foreach (var broken in checker.Broken(reading.Payload, reading.Index, rejectingOnly: false))
            brokenRules[broken.Rule.Name] = brokenRules.GetValueOrDefault(broken.Rule.Name) + 1;
    }
}
