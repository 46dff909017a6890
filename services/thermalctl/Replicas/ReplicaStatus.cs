using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>A replica's answer, or why there is none. Immutable.</summary>
/// <param name="Endpoint">The endpoint that led to it.</param>
/// <param name="Address">HOST:PORT; empty if none was found.</param>
/// <param name="Client">Calls it; null if none was found.</param>
/// <param name="Problem">Null if it answered.</param>
sealed record ReplicaStatus(ServiceEndpoint Endpoint, string Address, ControlClient? Client, CallProblem? Problem = null)
{
    /// <summary>An agent's answer.</summary>
    public AgentStatus? Agent { get; init; }

    /// <summary>A forwarder's answer.</summary>
    public ForwarderStatus? Forwarder { get; init; }

    /// <summary>Readings per second, if they were counted for a while; otherwise null.</summary>
    public double? MeasuredRate { get; init; }

    /// <summary>Whether it was there and is gone.</summary>
    public bool IsGone { get; init; }

    public ServiceInfo? Info => Agent?.Info ?? Forwarder?.Info;

    public string Service => Info is { Service.Length: > 0 } info ? info.Service : Endpoint.Host;

    /// <summary>Name of the replica, or its address if the name is not known.</summary>
    public string Replica =>
        Info is { Replica.Length: > 0 } info ? info.Replica
        : Address.Length > 0 ? Address
        : "-";

    public ReplicaState State =>
        IsGone ? ReplicaState.Gone
        : Address.Length == 0 ? ReplicaState.NotRunning
        : Info is null || Problem is not null ? ReplicaState.NoAnswer
        : Findings.Any(finding => finding.IsUrgent) ? ReplicaState.Problem
        : Forwarder?.Paused == true ? ReplicaState.Paused
        : Agent?.Clock == ClockState.Waiting ? ReplicaState.Waits
        : ReplicaState.Well;

    /// <summary>What its status says is wrong.</summary>
    public IEnumerable<Finding> Findings =>
        Agent is not null ? AgentFindings.Of(Agent)
        : Forwarder is not null ? ForwarderFindings.Of(Forwarder)
        : [];

    /// <summary>Whether its figures are current.</summary>
    public bool HasAnswered => State > ReplicaState.NoAnswer;

    /// <summary>Time since its start, by its own clock.</summary>
    public TimeSpan? Uptime => Info is { Time: { } time, StartedAt: { } start } ? time.ToDateTimeOffset() - start.ToDateTimeOffset() : null;

    public string? Version => Info?.Version;

    /// <summary>Readings taken (agent) or stored (forwarder) since the start.</summary>
    public ulong? Readings => Agent?.ReadingsTaken ?? Forwarder?.ReadingsStored;

    /// <summary>Readings per second: of an agent since its start unless they were counted, of a forwarder over the last minute.</summary>
    public double? Rate =>
        MeasuredRate
        ?? Forwarder?.ReadingsPerSecond
        ?? (Agent is { } agent && Uptime is { TotalSeconds: > 0 } uptime ? agent.ReadingsTaken / uptime.TotalSeconds : null);

    /// <summary>Readings that are stored and not yet delivered.</summary>
    public ulong? Backlog => Agent?.BacklogReadings ?? Forwarder?.BacklogReadings;

    /// <summary>Age of the oldest of them; null if there is none.</summary>
    public TimeSpan? Lag => (Agent is not null ? Agent.BacklogAge : Forwarder?.Lag)?.ToTimeSpan();

    /// <summary>Readings acknowledged by the broker (agent) or committed by the destination (forwarder) since the start.</summary>
    public ulong? Delivered => Agent?.ReadingsPublished ?? Forwarder?.ReadingsCommitted;

    /// <summary>Dead letters of the volume that the replicas of a forwarder share.</summary>
    public ulong? DeadLetters => Forwarder?.DeadLetters;

    /// <summary>Service and replica, to begin a sentence with.</summary>
    public string Name => Address.Length == 0 ? Service : $"{Service} {Replica}";

    /// <summary>Its state in words.</summary>
    public static string Word(ReplicaState state) =>
        state switch
        {
            ReplicaState.NotRunning => "not running",
            ReplicaState.Gone => "gone",
            ReplicaState.NoAnswer => "no answer",
            ReplicaState.Problem => "problem",
            ReplicaState.Paused => "paused",
            ReplicaState.Waits => "waits",
            _ => "well",
        };

    /// <summary>JSON's word for a state; it does not change.</summary>
    public static string JsonWord(ReplicaState state) => Word(state).Replace(' ', '_');

    /// <summary>A time in JSON's form; null if there is none.</summary>
    public static string? Iso(Timestamp? time) =>
        time?.ToDateTimeOffset().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}
