namespace ThermalStreaming.Journal;

/// <summary>What <see cref="Frame.TryParse"/> found.</summary>
enum FrameStatus
{
    /// <summary>A whole frame whose checksum is right.</summary>
    Valid,

    /// <summary>The bytes end before the frame does.</summary>
    Incomplete,

    /// <summary>No frame begins here, or its bytes have changed.</summary>
    Invalid,
}
