using System.Diagnostics.Metrics;
using System.Text.Json;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>Publishes a forwarder's figures as metrics and on the status page.</summary>
/// <param name="slots">The slots of this replica.</param>
/// <param name="services">The services that all slots share.</param>
/// <param name="page">The status page.</param>
/// <param name="meter">Makes the instruments.</param>
sealed class ForwarderFigures(OwnedSlots slots, SlotServices services, StatusPage page, Meter meter)
{
    /// <summary>Publishes the figures of the slots and of the dead letters. Once.</summary>
    public void Publish()
    {
        meter.CreateObservableGauge(
            "thermal.forwarder.backlog.readings",
            () => slots.Sum(slot => slot.Journal.BacklogReadings),
            "{reading}",
            "Readings in the journals that are not committed"
        );
        meter.CreateObservableGauge(
            "thermal.forwarder.journal",
            () => slots.Sum(slot => slot.Journal.SizeBytes),
            "By",
            "Size of the journals"
        );
        meter.CreateObservableGauge(
            "thermal.forwarder.lag",
            () => slots.LagSeconds,
            "s",
            "Age of the oldest reading that is not committed"
        );
        meter.CreateObservableGauge(
            "thermal.forwarder.slots",
            () => slots.Sum(_ => 1),
            "{slot}",
            "Slots this replica owns, adopted ones included"
        );
        meter.CreateObservableCounter(
            "thermal.forwarder.fsyncs",
            () => slots.Total(SlotCounter.Flushes),
            "{call}",
            "fsync calls of the journals"
        );
        meter.CreateObservableCounter(
            "thermal.forwarder.disk.written",
            () => slots.Total(SlotCounter.BytesWritten),
            "By",
            "Bytes written to the journals"
        );
        meter.CreateObservableCounter(
            "thermal.forwarder.messages.dropped",
            () => slots.Total(SlotCounter.DroppedMessages),
            "{message}",
            "Messages of QoS 0 that were dropped because intake was behind; QoS 0 gives no guarantee"
        );
        meter.CreateObservableGauge(
            "thermal.forwarder.dead_letters",
            () => services.DeadLetters.Kept,
            "{letter}",
            "Dead letters that are kept in the volume, those of other replicas included"
        );
        meter.CreateObservableGauge(
            "thermal.forwarder.journal.lost",
            () => slots.Sum(slot => slot.Journal.LostReadings),
            "{reading}",
            "Readings lost by damage to the journals and not recovered, since the journals were made"
        );
        meter.CreateObservableGauge(
            "thermal.forwarder.journal.damaged",
            () => slots.Sum(slot => slot.Journal.DamagedPlaces),
            "{place}",
            "Damaged places found in the journals, since the journals were made"
        );
        meter.CreateObservableCounter(
            "thermal.forwarder.dead_letters.deleted",
            DeletedLetters,
            "{letter}",
            "Dead letters that were deleted because their origin exceeded its share of DEAD_LETTERS_MAX_BYTES, by origin"
        );
        meter.CreateObservableGauge(
            "thermal.forwarder.paused",
            () => services.Pause.Current is null ? 0 : 1,
            null,
            "1 while delivery is paused, else 0"
        );
        DataVolume.Publish(meter, services.Options.DataDirectory);
        services.Devices.Publish(meter);
        page.Add(Write);
        page.Add(services.Senders.Write);
    }

    /// <summary>Publishes the figures of the ledger. Once.</summary>
    public void Publish(Ledger ledger) => ledger.Figures.Publish(meter, page);

    IEnumerable<Measurement<long>> DeletedLetters() =>
        Enum.GetValues<DeadLetterOrigin>()
            .Select(origin => new Measurement<long>(
                services.DeadLetters.Deleted(origin),
                new KeyValuePair<string, object?>("origin", DeadLetterOwner.NameOf(origin))
            ));

    /// <summary>Writes the figures that <c>/status</c> shows.</summary>
    public void Write(Utf8JsonWriter json)
    {
        var (metrics, letters) = (services.Metrics, services.DeadLetters);
        json.WriteNumber("readings_in"u8, metrics.ReceivedTotal);
        json.WriteNumber("stored"u8, metrics.StoredTotal);
        json.WriteNumber("duplicates"u8, metrics.DuplicateTotal);
        json.WriteNumber("dead_letters"u8, letters.Kept);
        json.WriteNumber("dead_letters_made"u8, letters.Count);
        json.WriteNumber("dead_letters_deleted_unread"u8, letters.Deleted(DeadLetterOrigin.Unread));
        json.WriteNumber("dead_letters_deleted_refused"u8, letters.Deleted(DeadLetterOrigin.Refused));
        json.WriteNumber("dead_letters_deleted_unloaded"u8, letters.Deleted(DeadLetterOrigin.Unloaded));
        json.WriteNumber("unmapped"u8, metrics.UnmappedTotal);
        json.WriteString("unmapped_topic"u8, metrics.LastUnmapped is { } topic ? TopicText.Of(topic) : null);
        json.WriteNumber("sent"u8, metrics.SentTotal);
        json.WriteNumber("committed"u8, metrics.CommittedTotal);
        json.WriteString("paused"u8, services.Pause.Current?.Text);
        json.WriteNumber("backlog"u8, slots.Sum(slot => slot.Journal.BacklogReadings));
        json.WriteNumber("lag_seconds"u8, Math.Round(slots.LagSeconds, 1));
        json.WriteNumber("journal_bytes"u8, slots.Sum(slot => slot.Journal.SizeBytes));
        json.WriteStartArray("slots"u8);
        foreach (var name in slots.Names)
            json.WriteStringValue(name);
        json.WriteEndArray();
    }
}
