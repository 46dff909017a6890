using System.Globalization;
using System.Text;
using System.Text.Json;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>Compares what arrived with what was published, row by row.</summary>
static class Delivery
{
    /// <summary>
    /// Waits until every reading of the fleets has arrived and nothing is on its way any more; then each must be there once, in the table
    /// of its kind and, of an inverter, in the bucket too, with every value it was published with, and nothing that was not published.
    /// </summary>
    public static async Task ExpectExactlyOnceAsync(this PipelineProject project, IReadOnlyList<Fleet> fleets, TimeSpan? ceiling = null)
    {
        foreach (var fleet in fleets)
            await fleet.StopAsync();
        var stopped = TimeProvider.System.GetTimestamp();
        var missing = "";
        List<Place> places = [];
        await Until.TrueAsync(
            "every reading has arrived and nothing is under way",
            ceiling ?? TimeSpan.FromMinutes(2),
            async () =>
            {
                await FetchAsync();
                missing = string.Join(
                    "; ",
                    from place in places
                    from fleet in fleets
                    from device in fleet.Devices
                    select place.Rows.Missing(device, place.Kind, fleet.Last(place.Kind)) into text
                    where text.Length > 0
                    select text
                );
                return missing.Length == 0 && await project.IsDeliveredAsync(stopped);
            },
            () => missing.Length > 0 ? $"Missing: {missing}." : "Nothing is missing, but something is still under way."
        );

        // Quiet is known only now: what arrived twice may have come last.
        await FetchAsync();
        var wrong = new List<string>();
        foreach (var place in places)
            wrong.AddRange(fleets.SelectMany(fleet => place.Rows.Wrong(fleet, place.Kind)).Select(text => $"{place.Name}: {text}"));
        await project.ReportAsync(fleets, places);
        if (project.Has(PipelineProject.SnowpipeForwarder))
            Assert.Equal(0, await project.FigureAsync(PipelineProject.SnowpipeForwarder, "rows_missing"));
        Assert.True(wrong.Count == 0, $"{wrong.Count} things are wrong:\n{string.Join('\n', wrong.Take(40))}");

        async Task FetchAsync()
        {
            places.Clear();
            if (project.Has(PipelineProject.SnowpipeForwarder))
                places.Add(new Place("THERMAL_SENSOR_DATA", ReadingKind.Thermal, Arrived.From(await project.ThermalRowsAsync())));
            if (!project.Has(PipelineProject.S3Forwarder))
                return;
            places.Add(new Place("the bucket", ReadingKind.Inverter, Arrived.From(await project.InverterRowsAsync())));
            places.Add(new Place("INVERTER_DATA_RAW", ReadingKind.Inverter, Arrived.From(await project.LoadedRowsAsync())));
        }
    }

    /// <summary>The rows of the table.</summary>
    public static async Task<IEnumerable<JsonElement>> ThermalRowsAsync(this PipelineProject project) => await project.Emulator.RowsAsync();

    /// <summary>The readings in the table that the objects are loaded into; each row must say which object it is from.</summary>
    public static async Task<IEnumerable<JsonElement>> LoadedRowsAsync(this PipelineProject project)
    {
        var rows = await project.Emulator.InverterRowsAsync();
        foreach (var row in rows)
            Assert.StartsWith("inverter-data/", row.GetProperty("FILE_NAME").GetString(), StringComparison.Ordinal);
        return rows.Select(row => row.GetProperty("JSON_BODY"));
    }

    /// <summary>The rows of all inverter objects; each object must be under its readings' date.</summary>
    public static async Task<IEnumerable<JsonElement>> InverterRowsAsync(this PipelineProject project)
    {
        var objects = await project.Bucket.ObjectsAsync("inverter-data/");
        foreach (var stored in objects)
        {
            var date = stored.Key.Split('/')[1];
            foreach (var line in stored.Lines)
                Assert.StartsWith(date, line.GetProperty("observed_at").GetString(), StringComparison.Ordinal);
        }
        return objects.SelectMany(stored => stored.Lines);
    }

    /// <summary>
    /// Everything that the forwarders took in up to a moment is committed: what they still have to deliver is younger. The agents never
    /// stop, so that there is always something.
    /// </summary>
    public static async Task<bool> IsDeliveredAsync(this PipelineProject project, long moment)
    {
        var since = TimeProvider.System.GetElapsedTime(moment).TotalSeconds;
        foreach (var service in project.Forwarders)
        {
            foreach (var status in await project.StatusAsync(service))
            {
                if (status.GetProperty("lag_seconds").GetDouble() + 1 > since)
                    return false;
            }
        }
        return true;
    }

    static async Task ReportAsync(this PipelineProject project, IReadOnlyList<Fleet> fleets, IReadOnlyList<Place> places)
    {
        var (messages, again) = (fleets.Sum(fleet => fleet.Sent.Messages), fleets.Sum(fleet => fleet.Sent.Again));
        var stored = string.Join(", ", places.Select(place => $"{fleets.Sum(place.Rows.Of)} in {place.Name}"));
        var dropped = 0L;
        foreach (var service in project.Forwarders)
            dropped += await project.FigureAsync(service, "duplicates");
        Progress.Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"published {fleets.Sum(fleet => fleet.Published)} readings in {messages} messages ({again} of them repeated by the "
                    + $"publisher), stored {stored}, each once; deduplicated {dropped} since the forwarders' last start"
            )
        );
    }

    /// <summary>Numbers as ranges, for people: 1–5, 9.</summary>
    public static string Ranges(IEnumerable<long> numbers)
    {
        var text = new StringBuilder();
        long? from = null,
            to = null;
        foreach (var number in numbers.Order())
        {
            if (number == to + 1)
            {
                to = number;
                continue;
            }
            Close();
            (from, to) = (number, number);
        }
        Close();
        return text.ToString();

        void Close()
        {
            if (from is not null)
                text.Append(CultureInfo.InvariantCulture, $"{(text.Length > 0 ? ", " : "")}{from}{(to > from ? $"–{to}" : "")}");
        }
    }
}

/// <summary>Where readings of a kind arrive.</summary>
sealed record Place(string Name, ReadingKind Kind, Arrived Rows);

/// <summary>The rows of one place, by the names of their readings. Rows of devices that number nothing are left out.</summary>
sealed class Arrived
{
    readonly Dictionary<(string Device, string Boot), Dictionary<long, List<JsonElement>>> rows = [];

    public IReadOnlyDictionary<(string Device, string Boot), Dictionary<long, List<JsonElement>>> Rows => rows;

    public static Arrived From(IEnumerable<JsonElement> lines)
    {
        var arrived = new Arrived();
        foreach (var line in lines)
        {
            if (line.GetProperty("boot_id").GetString() is not { } boot || line.GetProperty("sequence").ValueKind != JsonValueKind.Number)
                continue;
            var key = (line.GetProperty("device_id").GetString()!, boot);
            if (!arrived.rows.TryGetValue(key, out var sequences))
                arrived.rows[key] = sequences = [];
            var sequence = line.GetProperty("sequence").GetInt64();
            if (!sequences.TryGetValue(sequence, out var same))
                sequences[sequence] = same = [];
            same.Add(line);
        }
        return arrived;
    }

    /// <summary>How many rows of a fleet there are.</summary>
    public long Of(Fleet fleet) =>
        fleet.Devices.Sum(device => rows.GetValueOrDefault((device.Device, device.Boot))?.Values.Sum(same => same.Count) ?? 0);

    /// <summary>Which of the readings 1 to <paramref name="last"/> are not there; empty when all are.</summary>
    public string Missing(Numbered device, ReadingKind kind, long last)
    {
        var there = rows.GetValueOrDefault((device.Device, device.Boot)) ?? [];
        var missing = Range(last).Where(sequence => !there.ContainsKey(sequence)).ToList();
        return missing.Count == 0
            ? ""
            : $"{missing.Count} of {last} {Topics.Name(kind)} readings of {device.Device} ({Delivery.Ranges(missing)})";
    }

    /// <summary>Everything that is not as it was published.</summary>
    public IEnumerable<string> Wrong(Fleet fleet, ReadingKind kind)
    {
        foreach (var device in fleet.Devices)
        {
            var last = fleet.Last(kind);
            foreach (var (sequence, same) in rows.GetValueOrDefault((device.Device, device.Boot)) ?? [])
            {
                var name = device.Name(kind, sequence);
                if (sequence < 1 || sequence > last)
                    yield return $"{name} was never published: {same[0]}";
                else if (same.Count > 1)
                    yield return $"{name} is there {same.Count} times: {string.Join(" | ", same)}";
                else if (Difference(same[0], device.Row(kind, sequence), kind) is { } difference)
                    yield return $"{name}: {difference} in {same[0]}";
            }
            if (Missing(device, kind, last) is { Length: > 0 } missing)
                yield return missing;
        }
    }

    static string? Difference(JsonElement row, IEnumerable<KeyValuePair<string, object?>> expected, ReadingKind kind)
    {
        var keys = 0;
        foreach (var (key, value) in expected)
        {
            keys++;
            if (!row.TryGetProperty(key, out var found))
                return $"{key} is not there";
            var same = value switch
            {
                null => found.ValueKind == JsonValueKind.Null,
                string text => found.ValueKind == JsonValueKind.String && found.GetString() == text,
                double number => found.ValueKind == JsonValueKind.Number && found.GetDouble() == number,
                _ => false,
            };
            if (!same)
                return string.Create(CultureInfo.InvariantCulture, $"{key} is {found.GetRawText()} and should be {value ?? "null"}");
        }
        // Thermal rows also say who forwarded them, when, and as which of the channel's rows.
        if (kind == ReadingKind.Thermal)
        {
            if (!row.TryGetProperty("forwarded_at", out var at) || !at.TryGetDateTimeOffset(out _))
                return "forwarded_at is not a time";
            if (!row.TryGetProperty("channel_id", out var channel) || string.IsNullOrEmpty(channel.GetString()))
                return "channel_id is empty";
            if (!row.TryGetProperty("stream_offset", out var offset) || !offset.TryGetInt64(out var number) || number < 0)
                return "stream_offset is not a number";
            keys += 3;
        }
        var extra = row.EnumerateObject().Count() - keys;
        return extra == 0 ? null : $"it has {extra} keys more than it should";
    }

    static IEnumerable<long> Range(long last)
    {
        for (var number = 1L; number <= last; number++)
            yield return number;
    }
}
