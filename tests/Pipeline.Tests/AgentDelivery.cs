using System.Text.Json;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>The same comparison for the real sensor-agents: what they have taken is in their outboxes until it is safe.</summary>
sealed class AgentDelivery(PipelineProject project)
{
    /// <summary>Of each agent's service, the device it is.</summary>
    static readonly IReadOnlyDictionary<string, string> devices = new Dictionary<string, string>
    {
        [PipelineProject.Agent] = "agent-1",
        [PipelineProject.SecondAgent] = "agent-2",
    };

    static readonly string[] addedByForwarder = ["forwarded_at", "channel_id", "stream_offset"];

    readonly Dictionary<ReadingName, JsonElement> taken = [];

    /// <summary>Readings seen in an outbox so far.</summary>
    public int Taken => taken.Count;

    /// <summary>
    /// Notes what is in an agent's outbox now, by its own verb; the agent may be running or dead. What it forgets afterwards is held
    /// against everybody.
    /// </summary>
    public async Task NoteOutboxAsync(string service)
    {
        var container = (await project.ReplicasAsync(service))[0].Id;
        var image = await Docker.RunAsync("inspect", "--format", "{{.Config.Image}}", container);
        // Exit code 1 means that something could not be read, such as the half record of a power cut. What could be read is there.
        var export = await Docker.TryAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "--read-only",
            "--tmpfs",
            "/tmp",
            "--volumes-from",
            $"{container}:ro",
            image,
            "journal",
            "export"
        );
        Assert.True(export.ExitCode is 0 or 1, $"{export.Command}\nexit code {export.ExitCode}:\n{export.Text}");
        foreach (var line in export.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
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
    /// Waits until every reading that the agents have taken up to now has arrived; each must be there once, with the values it was taken
    /// with, and numbered without gaps since its agent's start. Inverter readings may be among the valid or the quarantined.
    /// </summary>
    public async Task ExpectExactlyOnceAsync(int atLeast)
    {
        foreach (var service in devices.Keys)
            await NoteOutboxAsync(service);
        var missing = "";
        var wrong = new List<string>();
        await Until.TrueAsync(
            "every reading of the agents has arrived",
            TimeSpan.FromMinutes(2),
            async () =>
            {
                wrong.Clear();
                var thermal = Arrived.From(await project.ThermalRowsAsync());
                var inverter = Arrived.From((await project.Bucket.ObjectsAsync()).SelectMany(stored => stored.Lines).Select(Reading));
                var problems = devices
                    .Values.SelectMany(device =>
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

    /// <summary>A quarantined line holds its reading and the reasons.</summary>
    static JsonElement Reading(JsonElement line) => line.TryGetProperty("reading", out var reading) ? reading : line;

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
