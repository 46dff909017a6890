using System.Text.Json;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>The same comparison for the real sensor-agents: what they have taken is in their outboxes until it is safe.</summary>
static class AgentDelivery
{
    /// <summary>
    /// Waits until every reading that the agents have taken up to now has arrived; each must be there once, numbered without gaps since its agent's start.
    /// Inverter readings may be among the valid or the quarantined.
    /// </summary>
    public static async Task ExpectAgentsExactlyOnceAsync(this PipelineProject project, IReadOnlyList<string> devices, int atLeast, IReadOnlyCollection<ReadingName>? taken = null, TimeSpan? ceiling = null)
    {
        var missing = "";
        var wrong = new List<string>();
        await Until.TrueAsync("every reading of the agents has arrived", ceiling ?? TimeSpan.FromMinutes(2), async () =>
        {
            wrong.Clear();
            var thermal = Arrived.From(await project.ThermalRowsAsync());
            var inverter = Arrived.From((await project.Bucket.ObjectsAsync()).SelectMany(stored => stored.Lines).Select(Reading));
            missing = string.Join("; ", devices.SelectMany(device => new[] { Check(thermal, device, "thermal", atLeast, wrong), Check(inverter, device, "inverter", atLeast, wrong) })
                .Concat((taken ?? []).Where(name => !Holds(name.Kind == Readings.ReadingKind.Thermal ? thermal : inverter, name)).Take(20).Select(name => $"{name} was taken")).Where(text => text.Length > 0));
            return missing.Length == 0 || wrong.Count > 0;
        }, () => $"Missing: {missing}.");
        Assert.True(wrong.Count == 0, $"{wrong.Count} things are wrong:\n{string.Join('\n', wrong.Take(40))}");
    }

    /// <summary>A quarantined line holds its reading and the reasons.</summary>
    static JsonElement Reading(JsonElement line) => line.TryGetProperty("reading", out var reading) ? reading : line;

    static bool Holds(Arrived arrived, ReadingName name) => arrived.Rows.TryGetValue((name.Device, name.Boot), out var sequences) && sequences.ContainsKey(name.Sequence);

    static string Check(Arrived arrived, string device, string kind, int atLeast, List<string> wrong)
    {
        var text = new List<string>();
        var boots = arrived.Rows.Where(rows => rows.Key.Device == device).ToList();
        foreach (var ((_, boot), sequences) in boots)
        {
            wrong.AddRange(sequences.Where(same => same.Value.Count > 1).Select(same => $"{device}/{boot}/{kind}/{same.Key} is there {same.Value.Count} times: {string.Join(" | ", same.Value)}"));
            var gaps = Enumerable.Range(1, (int)sequences.Keys.Max()).Select(number => (long)number).Where(number => !sequences.ContainsKey(number)).ToList();
            if (gaps.Count > 0)
                text.Add($"{device}/{boot}/{kind} has gaps ({Delivery.Ranges(gaps)})");
        }
        var count = boots.Sum(rows => rows.Value.Count);
        if (count < atLeast)
            text.Add($"{device} has {count} {kind} readings, fewer than {atLeast}");
        return string.Join("; ", text);
    }
}
