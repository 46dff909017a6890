using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Devices whose readings are taken although something about them is odd: told once per device, in the log, as a figure, in the status, and by <c>check</c>.
/// It forgets with the process, so what was cured is not told again. Thread-safe.
/// </summary>
sealed partial class SenderNotes
{
    /// <summary>Most notes that are kept; further devices are counted.</summary>
    const int MaxNotes = 1000;

    /// <summary>Most notes that the status lists.</summary>
    const int MaxListed = 20;

    /// <summary>Most keys that are named.</summary>
    const int MaxKeys = 8;

    readonly ConcurrentDictionary<(string DeviceId, SenderNote Note), string> notes = new();
    readonly ILogger logger;
    readonly int maxNotes;
    long more;

    /// <param name="meter">Gets the figures.</param>
    /// <param name="logger">Gets a line for each note.</param>
    /// <param name="maxNotes">Most notes that are kept.</param>
    public SenderNotes(Meter meter, ILogger<SenderNotes> logger, int maxNotes = MaxNotes)
    {
        (this.logger, this.maxNotes) = (logger, maxNotes);
        meter.CreateObservableGauge("thermal.forwarder.devices.noted", Count, "{device}", "Devices whose readings are taken although something about them is odd");
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

    /// <summary>Properties of the status.</summary>
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
        var text = string.Create(CultureInfo.InvariantCulture, $"its clock was never set: it dates a reading {observedAt:yyyy-MM-dd'T'HH:mm:ss}Z");
        if (TryAdd(deviceId, SenderNote.ClockNotSet, text))
            LogClock(deviceId, text);
    }

    void NoteKeys(string deviceId, IReadOnlyCollection<string> keys)
    {
        var came = keys.Count == 0 ? "none" : string.Join(", ", keys.Take(MaxKeys).Select(Shorten)) + (keys.Count > MaxKeys ? $" and {keys.Count - MaxKeys} more" : "");
        var near = keys.Take(MaxKeys).Select(key => (Key: key, Known: KnownKeys.Nearest(key))).Where(pair => pair.Known is not null).Select(pair => $"{Shorten(pair.Key)} → {pair.Known}").ToList();
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

    IEnumerable<Measurement<long>> Count()
        => Enum.GetValues<SenderNote>().Select(note => new Measurement<long>(notes.Keys.Count(key => key.Note == note), new KeyValuePair<string, object?>("note", Name(note))));

    static string Name(SenderNote note) => note == SenderNote.ClockNotSet ? "clock_not_set" : "unknown_keys";

    static string Shorten(string key)
    {
        var line = string.Concat(key.Select(letter => char.IsControl(letter) ? '·' : letter));
        return line.Length <= 40 ? line : line[..40] + "…";
    }

    [LoggerMessage(EventId = 122, Level = LogLevel.Warning, Message = "Device {Device}: {Note}. Its readings are stored with the time they say. Set its clock (NTP), or leave the time out: then the time of arrival counts")]
    partial void LogClock(string device, string note);

    [LoggerMessage(EventId = 123, Level = LogLevel.Warning, Message = "Device {Device}: {Note}. Its readings are stored, but only RAW_DATA has those values. Rename the keys in the sender")]
    partial void LogKeys(string device, string note);
}
