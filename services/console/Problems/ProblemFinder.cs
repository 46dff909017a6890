using System.Globalization;
using ThermalStreaming.Control;

namespace ThermalStreaming.Console;

/// <summary>Derives from the state what a person should know, in plain words, and how to fix it.</summary>
static class ProblemFinder
{
    /// <summary>Right after the start, a service that was not reached yet is not a problem.</summary>
    static readonly TimeSpan startPatience = TimeSpan.FromSeconds(3);

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
                    $"The console has no connection to the broker: {FindingText.Sentence(state.BrokerProblem)}",
                    "Agents keep their readings on disk meanwhile. See docker compose ps mosquitto and docker compose logs mosquitto; "
                        + "start it with docker compose up -d.",
                    state.Now - state.BrokerSince
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
            var answers = replicas.Where(found => found.Presence == ReplicaPresence.Answering).Select(found => found.Replica.Forwarder);
            findings.AddRange(
                ForwarderFindings
                    .OfVolume([.. answers.OfType<ForwarderStatus>()])
                    .Select(finding => finding with { Key = $"{finding.Key} {target}", Where = target })
            );
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
                now - replica.GoneSince
            );
            yield break;
        }
        if (presence == ReplicaPresence.Silent)
        {
            yield return new Finding(
                $"silent {replica.Key}",
                true,
                where,
                $"This replica does not answer: {FindingText.Sentence(replica.Failure.Length > 0 ? replica.Failure : "no answer yet")}",
                replica.FailureFix.Length > 0
                    ? FindingText.Sentence(replica.FailureFix)
                    : $"See docker compose ps {replica.Service} and docker compose logs {replica.Service}. If it is paused: docker compose unpause.",
                now - replica.LastAnswer
            );
            yield break;
        }
        foreach (var finding in replica.Findings)
            yield return finding with
            {
                Key = $"{finding.Key} {replica.Key}",
                Where = finding.Where.Length > 0 ? $"{where}, {finding.Where}" : where,
            };
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
                state.Now - device.LastHeard
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

    static string Clock(DateTimeOffset? time) => time?.ToString("HH:mm", CultureInfo.InvariantCulture) ?? "";
}
