using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Devices whose readings are stored although something about them is odd. Each is reported once: in the log, as a figure, in the status,
/// and by <c>check</c>. The notes end with the process, so a device that was corrected is not reported after a restart. Thread-safe.
/// </summary>
sealed partial class SenderNotes
{
    /// <summary>Most notes that are kept; further devices are only counted.</summary>
    const int MaxNotes = 1000;

    /// <summary>Most notes that the status lists.</summary>
    const int MaxListed = 20;

    /// <summary>Most devices with a figure of their own.</summary>
    const int MaxDevices = 100;

    /// <summary>Most keys that a note names.</summary>
    const int MaxKeys = 8;

    readonly ConcurrentDictionary<(string DeviceId, SenderNote Note), string> notes = new();
    readonly ConcurrentDictionary<(string DeviceId, string BootId), long> restarts = new();
    readonly ILogger logger;
    readonly int maxNotes;
    long more;
    long moreRestarts;

    /// <param name="meter">Gets the figures.</param>
    /// <param name="logger">Gets a line for each note.</param>
    /// <param name="maxNotes">Most notes that are kept.</param>
    public SenderNotes(Meter meter, ILogger<SenderNotes> logger, int maxNotes = MaxNotes)
    {
        (this.logger, this.maxNotes) = (logger, maxNotes);
        meter.CreateObservableGauge("thermal.forwarder.devices.noted", Count, "{device}", "Devices whose readings look odd");
        meter.CreateObservableCounter(
            "thermal.forwarder.readings.renumbered",
            Renumbered,
            "{reading}",
            "Readings not stored because another reading with the same device, boot id and sequence is stored already, by device"
        );
    }

    /// <summary>Looks at the readings of a message.</summary>
    public void Look(Payload payload, string deviceId)
    {
        for (var i = 0; i < payload.Count; i++)
        {
            if (payload.IsClockNotSet(i) && IsNew(deviceId, SenderNote.ClockNotSet))
                NoteClock(deviceId, payload.ObservedAt(i));
            if (payload.HasUnknownKeys(i) && IsNew(deviceId, SenderNote.UnknownKeys))
                NoteKeys(deviceId, payload.UnknownKeys(i));
        }
    }

    /// <summary>Notes readings that were not stored because other readings with the same identity are stored.</summary>
    public void LookAtRestarts(List<ReadingIdentity> dropped)
    {
        foreach (var group in dropped.GroupBy(identity => (identity.DeviceId, identity.BootId)))
        {
            var count = group.LongCount();
            if (restarts.Count >= maxNotes && !restarts.ContainsKey(group.Key))
            {
                Interlocked.Add(ref moreRestarts, count);
                continue;
            }
            var total = restarts.AddOrUpdate(group.Key, count, (_, before) => before + count);
            var boot = Shorten(group.Key.BootId);
            var text =
                $"it reuses the numbers of stored readings: {total} of boot_id \"{boot}\" were not stored (the last: sequence "
                + $"{group.Last().Sequence})";
            if (
                notes.ContainsKey((group.Key.DeviceId, SenderNote.CounterRestarted))
                || TryAdd(group.Key.DeviceId, SenderNote.CounterRestarted, text)
            )
                notes[(group.Key.DeviceId, SenderNote.CounterRestarted)] = text;
            if (total == count)
                LogRestart(group.Key.DeviceId, text);
        }
    }

    /// <summary>Writes the properties of the status.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray("odd_senders"u8);
        foreach (var ((deviceId, note), text) in notes.ToArray().OrderBy(pair => pair.Key.DeviceId, StringComparer.Ordinal).Take(MaxListed))
        {
            json.WriteStartObject();
            json.WriteString("device"u8, deviceId);
            json.WriteString("note"u8, Name(note));
            json.WriteString("detail"u8, text);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNumber("odd_senders_more"u8, Math.Max(0, notes.Count - MaxListed) + Interlocked.Read(ref more));
    }

    bool IsNew(string deviceId, SenderNote note) => !notes.ContainsKey((deviceId, note));

    void NoteClock(string deviceId, DateTimeOffset observedAt)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"its clock was never set: it dates a reading {observedAt:yyyy-MM-dd'T'HH:mm:ss}Z"
        );
        if (TryAdd(deviceId, SenderNote.ClockNotSet, text))
            LogClock(deviceId, text);
    }

    void NoteKeys(string deviceId, IReadOnlyCollection<string> keys)
    {
        var came =
            keys.Count == 0
                ? "none"
                : string.Join(", ", keys.Take(MaxKeys).Select(Shorten)) + (keys.Count > MaxKeys ? $" and {keys.Count - MaxKeys} more" : "");
        var near = keys.Take(MaxKeys)
            .Select(key => (Key: key, Known: KnownKeys.Nearest(key)))
            .Where(pair => pair.Known is not null)
            .Select(pair => $"{Shorten(pair.Key)} → {pair.Known}")
            .ToList();
        var text = $"it sends keys that no column has: {came}{(near.Count > 0 ? $"; probably meant: {string.Join(", ", near)}" : "")}";
        if (TryAdd(deviceId, SenderNote.UnknownKeys, text))
            LogKeys(deviceId, text);
    }

    bool TryAdd(string deviceId, SenderNote note, string text)
    {
        if (notes.Count < maxNotes)
            return notes.TryAdd((deviceId, note), text);
        Interlocked.Increment(ref more);
        return false;
    }

    IEnumerable<Measurement<long>> Count() =>
        Enum.GetValues<SenderNote>()
            .Select(note => new Measurement<long>(
                notes.Keys.Count(key => key.Note == note),
                new KeyValuePair<string, object?>("note", Name(note))
            ));

    /// <summary>Counts by device for the first devices, and one count for all others.</summary>
    IEnumerable<Measurement<long>> Renumbered()
    {
        var devices = restarts
            .ToArray()
            .GroupBy(restart => restart.Key.DeviceId)
            .OrderBy(device => device.Key, StringComparer.Ordinal)
            .Select(device => (Id: device.Key, Count: device.Sum(restart => restart.Value)))
            .ToList();
        foreach (var (id, count) in devices.Take(MaxDevices))
            yield return new Measurement<long>(count, new KeyValuePair<string, object?>("device", id));
        if (devices.Skip(MaxDevices).Sum(device => device.Count) + Interlocked.Read(ref moreRestarts) is > 0 and var others)
            yield return new Measurement<long>(others, new KeyValuePair<string, object?>("device", "(others)"));
    }

    static string Name(SenderNote note) =>
        note switch
        {
            SenderNote.ClockNotSet => "clock_not_set",
            SenderNote.CounterRestarted => "counter_restarted",
            _ => "unknown_keys",
        };

    static string Shorten(string key)
    {
        var line = string.Concat(key.Select(letter => char.IsControl(letter) ? '·' : letter));
        return line.Length <= 40 ? line : line[..40] + "…";
    }

    [LoggerMessage(
        EventId = 122,
        Level = LogLevel.Warning,
        Message = "Device {Device}: {Note}. Its readings are stored with the time they say. Set its clock (NTP), or leave the time out: "
            + "then the time of arrival counts"
    )]
    partial void LogClock(string device, string note);

    [LoggerMessage(
        EventId = 124,
        Level = LogLevel.Warning,
        Message = "Device {Device}: {Note}. It restarted its counter and kept its boot id. Let it make a new boot_id at each start, or "
            + "keep its counter; or leave both out"
    )]
    partial void LogRestart(string device, string note);

    [LoggerMessage(
        EventId = 123,
        Level = LogLevel.Warning,
        Message = "Device {Device}: {Note}. Its readings are stored, but only RAW_DATA has those values. Rename the keys in the sender"
    )]
    partial void LogKeys(string device, string note);
}
