using System.Device.I2c;

namespace ThermalStreaming.Sensors;

/// <summary>The I²C buses of this machine, by their numbers. Thread-safe.</summary>
public class I2cBuses
{
    /// <summary>Whether the machine, or this container, has the bus, even if it may not be used.</summary>
    public bool Exists(int number)
    {
        try
        {
            using var bus = Open(number);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Errno.Of(e) != Errno.NoEntry;
        }
    }

    /// <summary>Opens it.</summary>
    /// <exception cref="IOException">It does not exist, or may not be opened.</exception>
    public virtual I2cBus Open(int number) => I2cBus.Create(number);
}
