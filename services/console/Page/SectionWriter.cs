using System.Buffers;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;

namespace ThermalStreaming.Console;

/// <summary>Writes the state as the sections of the page. <c>web/</c> reads the properties by these names.</summary>
static class SectionWriter
{
    /// <summary>Inverters in the table of the page.</summary>
    const int MostInverters = 500;

    public static Dictionary<string, byte[]> Write(State state, IReadOnlyList<KeptFinding> problems, DeviceBook book, double brokerRate)
    {
        var sections = new Dictionary<string, byte[]>(StringComparer.Ordinal)
        {
            ["now"] = Json(json => json.WriteNumberValue(state.Now.ToUnixTimeMilliseconds())),
            ["since"] = Json(json => json.WriteNumberValue(book.Started.ToUnixTimeMilliseconds())),
            ["broker"] = Json(json =>
            {
                json.WriteStartObject();
                json.WriteBoolean("connected"u8, state.IsBrokerConnected);
                json.WriteNumber("since"u8, state.BrokerSince.ToUnixTimeMilliseconds());
                json.WriteNumber("rate"u8, Math.Round(brokerRate, 2));
                json.WriteString("problem"u8, state.BrokerProblem);
                json.WriteEndObject();
            }),
            ["services"] = Json(json =>
            {
                json.WriteStartArray();
                foreach (var service in state.Services)
                    json.WriteStringValue(service);
                json.WriteEndArray();
            }),
            ["problems"] = Json(json => WriteProblems(json, problems)),
            ["inverters"] = Json(json => WriteInverters(json, book, state.Now)),
        };
        foreach (var (replica, presence) in state.Replicas)
            sections[$"replica/{replica.Key}"] = Json(json => WriteReplica(json, replica, presence));
        foreach (var device in state.Devices)
            sections[$"device/{device.Id}"] = Json(json => WriteDevice(json, device));
        return sections;
    }

    static void WriteReplica(Utf8JsonWriter json, Replica replica, ReplicaPresence presence)
    {
        json.WriteStartObject();
        json.WriteString("service"u8, replica.Service);
        json.WriteString("name"u8, replica.Name);
        json.WriteString("presence"u8, presence.ToString().ToLowerInvariant());
        json.WriteNumber("last"u8, (replica.GoneSince ?? replica.LastAnswer).ToUnixTimeSeconds());
        json.WriteString("failure"u8, presence == ReplicaPresence.Answering ? "" : replica.Failure);
        if (replica.Info is { } info)
        {
            json.WriteBoolean("well"u8, !replica.Findings.Any(finding => finding.IsUrgent));
            json.WriteString("version"u8, info.Version);
            json.WriteNumber("started"u8, info.StartedAt?.Seconds ?? 0);
            // The part that describes the destination: its state is the destination's.
            json.WriteStartArray("unwell"u8);
            foreach (var part in info.Parts.Where(part => part.Problem.Length > 0))
                json.WriteStringValue(part.Name);
            json.WriteEndArray();
        }
        if (replica.Agent is { } agent)
            WriteAgent(json, agent, replica.TakenPerSecond);
        else if (replica.Forwarder is { } forwarder)
            WriteForwarder(json, forwarder);
        json.WriteEndObject();
    }

    static void WriteAgent(Utf8JsonWriter json, AgentStatus agent, double rate)
    {
        json.WriteString("device"u8, agent.DeviceId);
        json.WriteBoolean("clockWaits"u8, agent.Clock == ClockState.Waiting);
        json.WriteNumber("rate"u8, Math.Round(rate, 2));
        json.WriteNumber("taken"u8, agent.ReadingsTaken);
        json.WriteNumber("published"u8, agent.ReadingsPublished);
        json.WriteNumber("backlog"u8, agent.BacklogReadings);
        WriteSeconds(json, "lag", agent.BacklogAge);
        json.WriteNumber("sensors"u8, agent.Sensors.Count);
        json.WriteNumber("sensorsWell"u8, agent.Sensors.Count(sensor => sensor.Problem.Length == 0));
        if (agent.Thermal is { Enabled: true } thermal)
        {
            WriteSeconds(json, "interval", thermal.Interval);
            json.WriteNumber("batch"u8, thermal.BatchSize);
            json.WriteBoolean("overridden"u8, thermal.Overridden);
        }
    }

    static void WriteForwarder(Utf8JsonWriter json, ForwarderStatus forwarder)
    {
        json.WriteNumber("rate"u8, Math.Round(forwarder.ReadingsPerSecond, 2));
        json.WriteBoolean("paused"u8, forwarder.Paused);
        json.WriteNumber("backlog"u8, forwarder.BacklogReadings);
        WriteSeconds(json, "lag", forwarder.Lag);
        json.WriteNumber("committed"u8, forwarder.ReadingsCommitted);
        json.WriteNumber("duplicates"u8, forwarder.Duplicates);
        json.WriteNumber("letters"u8, forwarder.DeadLetters);
        json.WriteNumber("errors"u8, forwarder.Errors);
        json.WriteNumber("bytes"u8, forwarder.JournalBytes);
        json.WriteNumber("slots"u8, forwarder.Slots.Count);
        json.WriteString("destination"u8, forwarder.Slots.FirstOrDefault()?.Destination ?? "");
        if (forwarder.Cost is not { } cost)
            return;
        json.WriteStartObject("cost"u8);
        json.WriteString("road"u8, cost.Road);
        json.WriteNumber("usd"u8, Finite(cost.UsdPerDay));
        json.WriteNumber("credits"u8, Finite(cost.CreditsPerDay));
        json.WriteNumber("other"u8, Finite(cost.OtherRoadUsdPerDay));
        json.WriteNumber("days"u8, Math.Round(Finite(cost.CountedDays), 1));
        json.WriteEndObject();
    }

    static void WriteDevice(Utf8JsonWriter json, DeviceView device)
    {
        json.WriteStartObject();
        if (device.LastHeard is { } heard)
            json.WriteNumber("last"u8, heard.ToUnixTimeMilliseconds());
        json.WriteBoolean("silent"u8, device.IsSilent);
        json.WriteBoolean("charted"u8, device.IsCharted);
        json.WriteNumber("patience"u8, Math.Round(device.Patience.TotalSeconds));
        json.WriteString("quality"u8, device.Quality);
        json.WriteStartObject("values"u8);
        for (var i = 0; i < device.Latest.Count; i++)
        {
            if (device.Latest[i] is { } value)
                json.WriteNumber(Metric.All[i].Id, Math.Round(value, 2));
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    static void WriteInverters(Utf8JsonWriter json, DeviceBook book, DateTimeOffset now)
    {
        json.WriteStartArray();
        foreach (
            var (device, (said, heard), patience) in book.Read(all =>
                all.SelectMany(device => device.Inverters.Select(inverter => (device.Id, inverter, device.Patience)))
                    .Take(MostInverters)
                    .ToList()
            )
        )
        {
            json.WriteStartObject();
            json.WriteString("device"u8, device);
            json.WriteString("id"u8, said.Id);
            json.WriteNumber("last"u8, heard.ToUnixTimeMilliseconds());
            json.WriteBoolean("silent"u8, now - heard > patience);
            json.WriteString("fault"u8, said.Fault);
            if (said.PowerW is { } power)
                json.WriteNumber("power"u8, Math.Round(power));
            if (said.EnergyKwh is { } energy)
                json.WriteNumber("energy"u8, Math.Round(energy, 1));
            if (said.TemperatureC is { } temperature)
                json.WriteNumber("temperature"u8, Math.Round(temperature, 1));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static void WriteProblems(Utf8JsonWriter json, IReadOnlyList<KeptFinding> problems)
    {
        json.WriteStartArray();
        foreach (var problem in problems)
        {
            json.WriteStartObject();
            json.WriteString("key"u8, problem.Found.Key);
            json.WriteBoolean("urgent"u8, problem.Found.IsUrgent);
            json.WriteString("where"u8, problem.Found.Where);
            json.WriteString("what"u8, problem.Found.What);
            json.WriteString("fix"u8, problem.Found.Fix);
            json.WriteNumber("since"u8, problem.Since.ToUnixTimeMilliseconds());
            if (problem.Until is { } until)
                json.WriteNumber("until"u8, until.ToUnixTimeMilliseconds());
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static void WriteSeconds(Utf8JsonWriter json, string name, Duration? duration)
    {
        if (duration is not null)
            json.WriteNumber(name, Math.Round(duration.Seconds + duration.Nanos / 1e9, 1));
    }

    static double Finite(double value) => double.IsFinite(value) ? value : 0;

    static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            write(json);
        return buffer.WrittenSpan.ToArray();
    }
}
