using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Decides which objects a batch becomes. The number of objects is bounded, whatever dates the readings carry: see <see
/// cref="PartitionLimits"/>. Not thread-safe; one per batch.
/// </summary>
sealed class BatchPlanner(S3Options options, S3Statistics statistics)
{
    readonly Dictionary<GroupKey, List<long>> offsets = [];
    readonly Dictionary<string, int> brokenRules = new(StringComparer.Ordinal);
    int readings;
    int invalid;
    int dropped;

    /// <summary>Readings that the plan files under <see cref="PartitionLimits.OtherDates"/>.</summary>
    public int OtherDates { get; private set; }

    public BatchPlan Plan(Batch batch, SlotContext slot, Destination destination, DateTimeOffset now)
    {
        Sort(batch);
        Merge(batch.CreatedAt);
        statistics.Validated(brokenRules, invalid, dropped);
        if (OtherDates > 0)
            statistics.FiledUnderOtherDates(OtherDates);
        var split = Dates().Take(PartitionLimits.SplitDates).ToHashSet();
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
            Settings = new ContentSettings(options.Format, options.Compression, options.TimeZone.Id, options.Validation, ContentSettings.RulesInForce),
            // Nothing loads the quarantine in parallel: one object.
            Groups = [.. offsets.Select(group => PlannedGroup.Split(group.Key, group.Value,
                !group.Key.Quarantined && group.Key.Date is { } date && split.Contains(date) ? options.Files : 1))],
        };
    }

    void Sort(Batch batch)
    {
        var classifier = new Classifier(options.Validation, options.TimeZone);
        GroupKey? lastKey = null;
        List<long>? last = null;
        foreach (var reading in batch.Readings())
        {
            readings++;
            var key = classifier.Classify(reading, out var isInvalid);
            if (isInvalid)
            {
                invalid++;
                CountBrokenRules(reading.Payload.Inverter(reading.Index));
            }
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

    /// <summary>Joins the groups of implausible dates, and of dates beyond the most frequent ones, to one per kind and fate.</summary>
    void Merge(DateTimeOffset now)
    {
        var (first, last) = options.Partitions.Window(now, options.TimeZone);
        var own = Dates().Where(date => date >= first && date <= last).Take(options.Partitions.MaxDates).ToHashSet();
        foreach (var (key, merged) in offsets.Where(group => !own.Contains(group.Key.Date!.Value)).ToList())
        {
            offsets.Remove(key);
            OtherDates += merged.Count;
            var other = key with { Date = null };
            if (offsets.TryGetValue(other, out var all))
                all.AddRange(merged);
            else
                offsets[other] = merged;
        }
        foreach (var group in offsets.Where(group => group.Key.Date is null))
            group.Value.Sort();
    }

    /// <summary>The dates of the batch, the most frequent first and of equally frequent ones the latest.</summary>
    IEnumerable<DateOnly> Dates() => offsets.Where(group => group.Key.Date is not null)
        .GroupBy(group => group.Key.Date!.Value, group => group.Value.Count)
        .OrderByDescending(date => date.Sum()).ThenByDescending(date => date.Key)
        .Select(date => date.Key);

    void CountBrokenRules(InverterReading reading)
    {
        foreach (var rule in InverterRule.All)
        {
            if (rule.Broken(reading) is not null)
                brokenRules[rule.Key] = brokenRules.GetValueOrDefault(rule.Key) + 1;
        }
    }
}
