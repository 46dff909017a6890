using System.Device.I2c;
using ThermalStreaming.Sensors;
using ThermalStreaming.Sensors.Tests;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>Bus 1 is a simulated one, if it is there.</summary>
sealed class SimulatedBuses(SimulatedBus bus) : I2cBuses
{
    public volatile bool IsThere = true;

    public override I2cBus Open(int number) =>
        IsThere && number == 1 ? bus.Open() : throw new IOException($"Error 2. Can not open I2C device file '/dev/i2c-{number}'.");
}
