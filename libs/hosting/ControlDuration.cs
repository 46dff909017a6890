using Google.Protobuf.WellKnownTypes;

namespace ThermalStreaming.Hosting;

/// <summary>Durations from the wire, which may be anything.</summary>
public static class ControlDuration
{
    /// <summary>Reads a duration; false if it is not normalised or is out of the range of the type.</summary>
    public static bool TryRead(Duration duration, out TimeSpan value)
    {
        try
        {
            value = duration.ToTimeSpan();
            return true;
        }
        catch (InvalidOperationException)
        {
            value = default;
            return false;
        }
    }
}
