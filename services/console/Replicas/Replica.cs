using ThermalStreaming.Control;

namespace ThermalStreaming.Console;

/// <summary>What is known of one replica. Replaced at each answer.</summary>
sealed record Replica
{
    public required string Service { get; init; }

    /// <summary>Its own name; before the first answer, its address.</summary>
    public required string Name { get; init; }

    public required string Address { get; init; }

    public required ServiceKind Kind { get; init; }

    /// <summary>Client for calls to it.</summary>
    public required ControlClient Client { get; init; }

    public required DateTimeOffset FirstSeen { get; init; }

    /// <summary>When it last answered; before the first answer, when its address was found.</summary>
    public required DateTimeOffset LastAnswer { get; init; }

    /// <summary>Since when its address is gone; null while it exists.</summary>
    public DateTimeOffset? GoneSince { get; init; }

    /// <summary>Why the last call had no answer; empty if it had one.</summary>
    public string Failure { get; init; } = "";

    /// <summary>What to do about it; empty if no more is known than that it does not answer.</summary>
    public string FailureFix { get; init; } = "";

    /// <summary>Status of an agent, once it has answered.</summary>
    public AgentStatus? Agent { get; init; }

    /// <summary>Status of a forwarder, once it has answered.</summary>
    public ForwarderStatus? Forwarder { get; init; }

    /// <summary>Readings that an agent takes per second, over the last half minute.</summary>
    public double TakenPerSecond { get; init; }

    public ServiceInfo? Info => Agent?.Info ?? Forwarder?.Info;

    /// <summary>What its status says is wrong.</summary>
    public IEnumerable<Finding> Findings =>
        Agent is { } agent ? AgentFindings.Of(agent)
        : Forwarder is { } forwarder ? ForwarderFindings.Of(forwarder)
        : [];

    public string Key => $"{Service}/{Name}";
}
