using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>What all slots of a forwarder share.</summary>
sealed class SlotServices
{
    /// <summary>How readings are taken in and kept.</summary>
    public required ForwarderOptions Options { get; init; }

    /// <summary>Rules that readings must keep to be stored; null: none.</summary>
    public IntakeRules? Rules { get; init; }

    /// <summary>Makes the sink of a slot.</summary>
    public required Func<SlotContext, IBatchSink> CreateSink { get; init; }

    /// <summary>Keeps what cannot be taken in or delivered.</summary>
    public required DeadLetters DeadLetters { get; init; }

    /// <summary>Notes senders with something odd about them.</summary>
    public required SenderNotes Senders { get; init; }

    /// <summary>Notes when each device was heard.</summary>
    public required DeviceFreshness Devices { get; init; }

    /// <summary>Counts.</summary>
    public required ForwarderMetrics Metrics { get; init; }

    /// <summary>Whether delivery is paused.</summary>
    public required PauseSwitch Pause { get; init; }

    /// <summary>The slots of this replica.</summary>
    public OwnedSlots Slots { get; } = new();

    /// <summary>Gets the parts that do not work.</summary>
    public required Health Health { get; init; }

    /// <summary>Tells the time and makes timers.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>For what an operator should know.</summary>
    public required ILogger Logger { get; init; }
}
