using System.Text.Json;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>Readings that real sensor-agents have taken, as their outboxes show them, and the comparison with what is stored.</summary>
sealed class TakenReadings
{
    static readonly string[] addedByForwarder = ["forwarded_at", "channel_id", "stream_offset"];

    readonly Dictionary<ReadingName, JsonElement> taken = [];

    /// <summary>Readings seen in an outbox so far.</summary>
    public int Count => taken.Count;

    /// <summary>Notes what <c>journal export</c> printed of an outbox. What is forgotten afterwards is held against everybody.</summary>
    public void Note(string export)
    {
        foreach (var line in export.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var row = JsonSerializer.Deserialize<JsonElement>(line);
            var kind = row.TryGetProperty("PAC", out _) ? ReadingKind.Inverter : ReadingKind.Thermal;
            taken[
                new ReadingName(
                    row.GetProperty("device_id").GetString()!,
                    row.GetProperty("boot_id").GetString()!,
                    kind,
                    row.GetProperty("sequence").GetInt64()
                )
            ] = row;
        }
    }

    /// <summary>
    /// Waits until every reading that was noted has arrived; each must be there once, with the values it was taken with, and numbered
    /// without gaps since its agent's start.
    /// </summary>
    /// <param name="devices">The agents' devices.</param>
    /// <param name="atLeast">Readings of each kind that each device must have.</param>
    /// <param name="fetch">Everything that is stored by now.</param>
    public async Task ExpectStoredOnceAsync(IReadOnlyCollection<string> devices, int atLeast, Func<Task<StoredReadings>> fetch)
    {
        var missing = "";
        var wrong = new List<string>();
        await Until.TrueAsync(
            "every reading of the agents has arrived",
            TimeSpan.FromMinutes(2),
            async () =>
            {
                wrong.Clear();
                var (thermal, inverter) = await fetch();
                var problems = devices
                    .SelectMany(device =>
                        new[] { Gaps(thermal, device, "thermal", atLeast, wrong), Gaps(inverter, device, "inverter", atLeast, wrong) }
                    )
                    .Where(text => text.Length > 0)
                    .ToList();
                foreach (var (name, row) in taken)
                {
                    if (Find(name.Kind == ReadingKind.Thermal ? thermal : inverter, name) is not { } stored)
                        problems.Add($"{name} was taken");
                    else if (Difference(row, stored) is { } difference)
                        wrong.Add($"{name}: {difference}; taken as {row}, stored as {stored}");
                }
                missing = string.Join("; ", problems.Take(20));
                return missing.Length == 0 || wrong.Count > 0;
            },
            () => $"Missing: {missing}."
        );
        Assert.True(wrong.Count == 0, $"{wrong.Count} things are wrong:\n{string.Join('\n', wrong.Take(40))}");
        Progress.Say($"  sensor-agents: {taken.Count} readings noted in their outboxes, each stored once with its values");
    }

    static JsonElement? Find(Arrived arrived, ReadingName name) =>
        arrived.Rows.TryGetValue((name.Device, name.Boot), out var sequences) && sequences.TryGetValue(name.Sequence, out var same)
            ? same[0]
            : null;

    static string? Difference(JsonElement taken, JsonElement stored)
    {
        foreach (var property in taken.EnumerateObject().Where(property => !addedByForwarder.Contains(property.Name)))
        {
            if (!stored.TryGetProperty(property.Name, out var value))
                return $"{property.Name} is not there";
            if (!JsonElement.DeepEquals(property.Value, value))
                return $"{property.Name} is {value.GetRawText()} and was {property.Value.GetRawText()}";
        }
        return null;
    }

    static string Gaps(Arrived arrived, string device, string kind, int atLeast, List<string> wrong)
    {
        var text = new List<string>();
        var boots = arrived.Rows.Where(rows => rows.Key.Device == device).ToList();
        foreach (var ((_, boot), sequences) in boots)
        {
            wrong.AddRange(
                sequences
                    .Where(same => same.Value.Count > 1)
                    .Select(same =>
                        $"{device}/{boot}/{kind}/{same.Key} is there {same.Value.Count} times: {string.Join(" | ", same.Value)}"
                    )
            );
            var gaps = Enumerable
                .Range(1, (int)sequences.Keys.Max())
                .Select(number => (long)number)
                .Where(number => !sequences.ContainsKey(number))
                .ToList();
            if (gaps.Count > 0)
                text.Add($"{device}/{boot}/{kind} has gaps ({Delivery.Ranges(gaps)})");
        }
        var count = boots.Sum(rows => rows.Value.Count);
        if (count < atLeast)
            text.Add($"{device} has {count} {kind} readings, fewer than {atLeast}");
        return string.Join("; ", text);
    }
}
