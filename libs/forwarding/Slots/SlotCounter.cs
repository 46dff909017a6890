namespace ThermalStreaming.Forwarding;

/// <summary>What a slot counts from its opening on.</summary>
enum SlotCounter
{
    /// <summary>fsync calls of its journal.</summary>
    Flushes,

    /// <summary>Bytes written to its journal.</summary>
    BytesWritten,

    /// <summary>Messages of QoS 0 that were dropped because intake was behind.</summary>
    DroppedMessages,
}
