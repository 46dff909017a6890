using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>Names a stream: the readings of one kind that one start of a device's agent numbers 1, 2, 3, …</summary>
readonly record struct StreamKey(string DeviceId, string BootId, ReadingKind Kind)
{
    public StreamKey(in ReadingIdentity identity)
        : this(identity.DeviceId, identity.BootId, identity.Kind) { }
}
