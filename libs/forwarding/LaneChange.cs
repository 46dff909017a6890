namespace ThermalStreaming.Forwarding;

/// <summary>What is to be done with the slots of a replica.</summary>
enum LaneChange
{
    None,
    Open,
    Close,
}
