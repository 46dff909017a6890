namespace ThermalStreaming.Forwarding;

/// <summary>What a sink may know about the slot it delivers.</summary>
/// <param name="Name">Name of the slot, unique among the replicas of a service: <c>slot-0</c>, <c>slot-1</c>, …</param>
/// <param name="Epoch">Identity of the slot's journal, 16 hexadecimal digits.</param>
/// <param name="InitialEnd">
/// One past the last offset that the journal held when it was opened, before it took in anything. If the destination has later readings that
/// this process did not send, the journal has lost them, and the readings that now get their offsets are others.
/// </param>
/// <param name="Directory">The slot's own directory, for the sink's own files.</param>
/// <param name="Read">Reads back readings from the journal, from the first offset to before the second.</param>
/// <param name="DeadLetters">Where readings go that the destination refused.</param>
public sealed record SlotContext(
    string Name,
    string Epoch,
    long InitialEnd,
    string Directory,
    Func<long, long, IEnumerable<BatchReading>> Read,
    DeadLetters DeadLetters
);
