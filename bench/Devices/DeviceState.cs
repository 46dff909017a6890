namespace ThermalStreaming.Bench;

/// <summary>How far a simulated device is with its connection.</summary>
enum DeviceState : byte
{
    Away,
    Connecting,
    SigningIn,
    Connected,
}
