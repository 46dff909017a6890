using ThermalStreaming.Journal;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>Lets one program at a time use the sensors, even across two containers with one data directory.</summary>
static class SensorLock
{
    /// <returns>Null while another program has it.</returns>
    /// <exception cref="IOException">The data directory cannot be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static FileLock? TryTake(SensorOptions options)
    {
        Directory.CreateDirectory(options.Directory);
        return FileLock.TryTake(Path.Combine(options.Directory, "lock"));
    }
}
