using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>What a replica answered, or why it did not. Immutable.</summary>
/// <param name="Endpoint">By which it was found.</param>
/// <param name="Address">HOST:PORT; empty where none was found.</param>
/// <param name="Client">Calls it; null where none was found.</param>
/// <param name="Problem">Null if it answered.</param>
sealed record ReplicaStatus(ServiceEndpoint Endpoint, string Address, ControlClient? Client, CallProblem? Problem = null)
{
    /// <summary>What an agent answered.</summary>
    public AgentStatus? Agent { get; init; }

    /// <summary>What a forwarder answered.</summary>
    public ForwarderStatus? Forwarder { get; init; }

    /// <summary>Readings a second, where they were counted for a while; null otherwise.</summary>
    public double? MeasuredRate { get; init; }

    /// <summary>It was there and is gone.</summary>
    public bool IsGone { get; init; }

    public ServiceInfo? Info => Agent?.Info ?? Forwarder?.Info;

    public string Service => Info is { Service.Length: > 0 } info ? info.Service : Endpoint.Host;

    /// <summary>Name of the replica; its address where it has not said its name.</summary>
    public string Replica =>
        Info is { Replica.Length: > 0 } info ? info.Replica
        : Address.Length > 0 ? Address
        : "-";

    public ReplicaState State =>
        IsGone ? ReplicaState.Gone
        : Address.Length == 0 ? ReplicaState.NotRunning
        : Info is null || Problem is not null ? ReplicaState.NoAnswer
        : !Info.Ready ? ReplicaState.Problem
        : Forwarder?.Paused == true ? ReplicaState.Paused
        : ReplicaState.Well;

    /// <summary>Whether its figures are of now.</summary>
    public bool HasAnswered => State > ReplicaState.NoAnswer;

    /// <summary>Since its start, by its own clock.</summary>
    public TimeSpan? Uptime => Info is { Time: { } time, StartedAt: { } start } ? time.ToDateTimeOffset() - start.ToDateTimeOffset() : null;

    public string? Version => Info?.Version;

    /// <summary>Readings taken (agent) or stored (forwarder) since the start.</summary>
    public ulong? Readings => Agent?.ReadingsTaken ?? Forwarder?.ReadingsStored;

    /// <summary>Readings a second: of an agent since its start unless they were counted, of a forwarder over the last minute.</summary>
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

    /// <summary>Of the volume that the replicas of a forwarder share.</summary>
    public ulong? DeadLetters => Forwarder?.DeadLetters;

    /// <summary>Service and replica, as sentences about it begin.</summary>
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
            _ => "well",
        };

    /// <summary>The word that JSON has for a state, which stays.</summary>
    public static string JsonWord(ReplicaState state) => Word(state).Replace(' ', '_');

    /// <summary>A time as JSON has it; null where there is none.</summary>
    public static string? Iso(Timestamp? time) =>
        time?.ToDateTimeOffset().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}
