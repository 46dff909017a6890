namespace ThermalStreaming.Control;

/// <summary>What a forwarder's status says is wrong. The console and <c>thermalctl status</c> both show this.</summary>
public static class ForwarderFindings
{
    /// <summary>The findings about one replica, in no particular order.</summary>
    public static IEnumerable<Finding> Of(ForwarderStatus forwarder)
    {
        foreach (var finding in PartFindings.Of(forwarder.Info, forwarder.LastError))
            yield return finding;
        if (PastError(forwarder) is { } error)
            yield return error;
        if (!forwarder.Paused && forwarder.Lag?.ToTimeSpan() is { } lag && lag > FindingLimits.Late)
            yield return new Finding(
                "lag",
                IsUrgent: false,
                "",
                FindingText.Waiting(forwarder.BacklogReadings, "delivery", lag),
                "They are safe on disk. Look at the other problems of this forwarder; without one it is catching up.",
                lag
            );
        if (Loss(forwarder) is { } loss)
            yield return loss;
    }

    /// <summary>The findings that the replicas of a service have in common, because they share a volume.</summary>
    /// <param name="replicas">Those that answer.</param>
    public static IEnumerable<Finding> OfVolume(IReadOnlyList<ForwarderStatus> replicas)
    {
        if (replicas.FirstOrDefault(replica => replica.Paused) is { } paused)
        {
            var note = paused
                .Info?.Parts.Select(part => part.Note)
                .FirstOrDefault(note => note.StartsWith("paused", StringComparison.Ordinal));
            yield return new Finding(
                "paused",
                IsUrgent: false,
                "",
                FindingText.Sentence($"delivery is {note ?? "paused; new readings are kept in the journal until it is full"}"),
                "./thermalctl resume delivers again; so does Control, on the console's page."
            );
        }
        if (replicas.Max(replica => (ulong?)replica.DeadLetters) is > 0 and { } letters)
            yield return new Finding(
                "letters",
                IsUrgent: false,
                "",
                $"{FindingText.Count(letters, "dead letter")}: something that came could not be stored or delivered.",
                "./thermalctl dead-letters list shows the reasons, as the console's page does. When the cause is removed, replay them."
            );
    }

    /// <summary>The last error, if it is over: as long as it lasts, a part has it as its problem. A first, passing one is no part's.</summary>
    static Finding? PastError(ForwarderStatus forwarder)
    {
        if (
            forwarder is not { LastError: { At: { } at } error, Info: { Time: { } now } info }
            || info.Parts.Any(part => PartFindings.IsSaidBy(part, error))
        )
            return null;
        var age = now.ToDateTimeOffset() - at.ToDateTimeOffset();
        if (age >= FindingLimits.RecentError)
            return null;
        return new Finding(
            "error",
            IsUrgent: false,
            "",
            $"It had an error {FindingText.Span(age)} ago: {FindingText.Sentence(error.Message)}",
            error.Fix.Length > 0 ? FindingText.Sentence(error.Fix) : "Nothing to do: the forwarder retries by itself.",
            age
        );
    }

    /// <summary>
    /// Damage to the disk has cost readings. It is urgent for a day, as for the alert ReadingsLost, and stays a remark as long as something
    /// lies in quarantine/ that nobody has dealt with. The count is of the journals' whole life.
    /// </summary>
    static Finding? Loss(ForwarderStatus forwarder)
    {
        var slots = forwarder.Slots.Where(slot => slot.LostReadings > 0).ToList();
        var lost = slots.Aggregate(0UL, (sum, slot) => sum + slot.LostReadings);
        var age = slots.Where(slot => slot.LossAge is not null).Min(slot => (TimeSpan?)slot.LossAge.ToTimeSpan());
        var files = slots.Aggregate(0UL, (sum, slot) => sum + slot.QuarantinedFiles);
        var isNew = age < FindingLimits.RecentLoss;
        if (lost == 0 || (!isNew && files == 0))
            return null;
        var service = forwarder.Info?.Service;
        return new Finding(
            "lost",
            isNew,
            "",
            $"Damage to the disk has cost {FindingText.Count(lost, "stored reading")}"
                + (age is { } ago ? $", the last found {FindingText.Span(ago)} ago." : "."),
            "Look at dmesg, and replace the SD card if it has errors. "
                + (
                    files == 0
                        ? "quarantine/ holds nothing to recover."
                        : $"To recover the undamaged readings: docker compose stop {service} && docker compose run --rm {service} journal "
                            + "recover. Delete the files in which it finds no complete record, and only those (docs/operations.md, "
                            + $"Damage), then docker compose start {service}."
                ),
            age
        );
    }
}
