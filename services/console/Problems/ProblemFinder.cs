using System.Globalization;
using ThermalStreaming.Control;

namespace ThermalStreaming.Console;

/// <summary>Derives from the state what a person should know, in plain words, and how to fix it.</summary>
static class ProblemFinder
{
    /// <summary>Delivery slower than this is reported.</summary>
    static readonly TimeSpan lateDelivery = TimeSpan.FromMinutes(5);

    /// <summary>Right after the start, a service that was not reached yet is not a problem.</summary>
    static readonly TimeSpan startPatience = TimeSpan.FromSeconds(3);

    /// <summary>How long a forwarder's past error stays worth a line.</summary>
    static readonly TimeSpan freshError = TimeSpan.FromMinutes(10);

    /// <summary>Silent devices with their own line; the others are counted.</summary>
    const int MostSilentDevices = 8;

    public static IReadOnlyList<Finding> Find(State state)
    {
        List<Finding> findings = [];
        if (!state.IsBrokerConnected && state.Age > startPatience)
        {
            findings.Add(
                new Finding(
                    "broker",
                    true,
                    "Broker",
                    $"The console has no connection to the broker: {Sentence(state.BrokerProblem)}",
                    "Agents keep their readings on disk meanwhile. See docker compose ps mosquitto and docker compose logs mosquitto; "
                        + "start it with docker compose up -d.",
                    state.BrokerSince
                )
            );
        }
        foreach (var target in state.Services)
        {
            var replicas = state.Replicas.Where(replica => replica.Replica.Service == target).ToList();
            if (replicas.Count == 0 && state.Age > startPatience)
                findings.Add(Missing(target));
            foreach (var (replica, presence) in replicas)
                findings.AddRange(Of(replica, presence, state.Now));
            if (
                replicas.Where(found => found.Presence == ReplicaPresence.Answering).Select(found => found.Replica.Forwarder).ToList()
                is [{ }, ..] all
            )
                findings.AddRange(OfService(target, [.. all.OfType<ForwarderStatus>()]));
        }
        findings.AddRange(OfDevices(state));
        return findings;
    }

    static Finding Missing(string service) =>
        new(
            $"missing {service}",
            true,
            service,
            $"No {service} is running.",
            service == "sensor-agent"
                ? "No readings of this machine are taken. Start it: docker compose up -d."
                : "Agents keep the readings meant for it. Start it: docker compose up -d. If its number in .env is 0, this is intended."
        );

    static IEnumerable<Finding> Of(Replica replica, ReplicaPresence presence, DateTimeOffset now)
    {
        var where = $"{replica.Service} {replica.Name}";
        var isAgent = replica.Kind == ServiceKind.Agent;
        if (presence == ReplicaPresence.Gone)
        {
            yield return new Finding(
                $"gone {replica.Key}",
                true,
                where,
                "This replica is gone: it was stopped, killed or removed.",
                (
                    isAgent
                        ? "No readings are taken here. "
                        : "Another replica takes over its stored readings; without another one they wait on disk. "
                )
                    + "Start it: docker compose up -d. If it was removed on purpose: this line disappears by "
                    + $"{Clock(replica.GoneSince + ReplicaBook.Remembered)} UTC.",
                replica.GoneSince
            );
            yield break;
        }
        if (presence == ReplicaPresence.Silent)
        {
            yield return new Finding(
                $"silent {replica.Key}",
                true,
                where,
                $"This replica does not answer: {Sentence(replica.Failure.Length > 0 ? replica.Failure : "no answer yet")}",
                replica.FailureFix.Length > 0
                    ? Sentence(replica.FailureFix)
                    : $"See docker compose ps {replica.Service} and docker compose logs {replica.Service}. If it is paused: docker compose unpause.",
                replica.LastAnswer
            );
            yield break;
        }
        foreach (var part in replica.Info?.Parts ?? [])
        {
            if (part.Problem.Length > 0)
                yield return new Finding(
                    $"part {replica.Key} {part.Name}",
                    true,
                    $"{where}, {part.Name}",
                    Sentence(part.Problem),
                    $"If that does not say enough: docker compose exec {replica.Service} {replica.Service} check"
                );
        }
        foreach (var finding in replica.Agent is { } agent ? OfAgent(agent, replica, where, now) : OfForwarder(replica, where, now))
            yield return finding;
    }

    static IEnumerable<Finding> OfAgent(AgentStatus agent, Replica replica, string where, DateTimeOffset now)
    {
        if (agent.Clock == ClockState.Unsynchronised)
            yield return new Finding(
                $"clock {replica.Key}",
                false,
                where,
                "The clock of this machine is not synchronised, so the times of its readings may be wrong.",
                "Give it network time: timedatectl set-ntp true, and see timedatectl timesync-status."
            );
        foreach (var sensor in agent.Sensors.Where(sensor => sensor.Problem.Length > 0))
            yield return new Finding(
                $"sensor {replica.Key} {sensor.Id}",
                true,
                $"{where}, sensor {sensor.Id}",
                Sentence(sensor.Problem),
                "Check its cable and supply. docker compose exec sensor-agent sensor-agent sensors list shows what answers on the buses."
            );
        if (agent.BacklogAge?.ToTimeSpan() is { } age && age > lateDelivery)
            yield return new Finding(
                $"backlog {replica.Key}",
                false,
                where,
                $"{Number(agent.BacklogReadings)} readings wait here for the broker, the oldest for {Span(age)}.",
                "They are safe on disk. They go when the broker is reached and a forwarder takes readings.",
                now - age
            );
    }

    static IEnumerable<Finding> OfForwarder(Replica replica, string where, DateTimeOffset now)
    {
        if (replica.Forwarder is not { } forwarder)
            yield break;
        if (!forwarder.Paused && forwarder.Lag?.ToTimeSpan() is { } lag && lag > lateDelivery)
            yield return new Finding(
                $"lag {replica.Key}",
                false,
                where,
                $"{Number(forwarder.BacklogReadings)} readings wait here for delivery, the oldest for {Span(lag)}.",
                "They are safe on disk. Look at the other problems of this forwarder; without one it is catching up.",
                now - lag
            );
        if (forwarder.LastError is { } error && error.At is { } at && now - at.ToDateTimeOffset() < freshError)
            yield return new Finding(
                $"error {replica.Key}",
                error.Code == "NeedsOperator",
                where,
                Sentence(error.Message),
                error.Fix.Length > 0 ? Sentence(error.Fix) : "Nothing to do: the forwarder retries by itself.",
                at.ToDateTimeOffset()
            );
        var lost = forwarder.Slots.Aggregate(0UL, (sum, slot) => sum + slot.LostReadings);
        if (lost > 0)
            yield return new Finding(
                $"lost {replica.Key}",
                true,
                where,
                $"Damage to the disk has cost {Number(lost)} stored readings.",
                $"Replace the SD card. docker compose exec {replica.Service} {replica.Service} journal recover reads what is left."
            );
    }

    /// <summary>Findings that the replicas of a service share, because they share a volume.</summary>
    static IEnumerable<Finding> OfService(string service, IReadOnlyList<ForwarderStatus> replicas)
    {
        if (replicas.Any(replica => replica.Paused))
            yield return new Finding(
                $"paused {service}",
                true,
                service,
                "Delivery is paused. Readings are kept on disk until there is no room.",
                "Resume it under Control, at the end of this page."
            );
        var letters = replicas.Max(replica => replica.DeadLetters);
        if (letters > 0)
            yield return new Finding(
                $"letters {service}",
                false,
                service,
                letters == 1
                    ? "1 dead letter: a message or reading could not be stored or delivered."
                    : $"{Number(letters)} dead letters: messages or readings could not be stored or delivered.",
                "Dead letters, further down, shows the reasons. When the cause is removed, replay them there."
            );
    }

    static IEnumerable<Finding> OfDevices(State state)
    {
        // While the broker is away, all devices are silent, and the broker has its own line.
        if (!state.IsBrokerConnected || state.Now - state.BrokerSince < TimeSpan.FromSeconds(15))
            yield break;
        var silent = state.Devices.Where(device => device.IsSilent).ToList();
        foreach (var device in silent.Take(MostSilentDevices))
            yield return new Finding(
                $"device {device.Id}",
                false,
                $"Device {device.Id}",
                "No reading has come for longer than usual.",
                "Check its power and its network. Its last reading is safe.",
                device.LastHeard
            );
        if (silent.Count > MostSilentDevices)
            yield return new Finding(
                "devices",
                false,
                "Devices",
                $"{silent.Count - MostSilentDevices} more devices are silent.",
                "See the list of devices."
            );
        foreach (var device in state.Devices.Where(device => device.IsUnderVoltage))
            yield return new Finding(
                $"voltage {device.Id}",
                false,
                $"Device {device.Id}",
                "Its supply voltage is too low; this damages SD cards.",
                "Use the Pi's own power supply and a short cable."
            );
    }

    static string Sentence(string text)
    {
        var trimmed = text.Trim();
        if (trimmed.Length == 0)
            return "";
        var end = trimmed[^1] is '.' or '!' or '?' or ')' ? "" : ".";
        return char.ToUpperInvariant(trimmed[0]) + trimmed[1..] + end;
    }

    static string Number(ulong number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    static string Clock(DateTimeOffset? time) => time?.ToString("HH:mm", CultureInfo.InvariantCulture) ?? "";

    static string Span(TimeSpan span) =>
        span.TotalHours >= 2 ? $"{(long)span.TotalHours} hours"
        : span.TotalMinutes >= 2 ? $"{(long)span.TotalMinutes} minutes"
        : $"{(long)span.TotalSeconds} seconds";
}
