namespace ThermalStreaming.Forwarding;

/// <summary>What is to be done with the slots of a replica.</summary>
enum SlotChange
{
    None,
    Open,
    Close,
}
