using System.Device.I2c;

namespace ThermalStreaming.Sensors.Tests;

/// <summary>Repeats what a busy chip does not acknowledge, for drivers that take that for an error.</summary>
sealed class PatientDevice(I2cDevice device) : I2cDevice
{
    const int Attempts = 200;

    public override I2cConnectionSettings ConnectionSettings => device.ConnectionSettings;

    public override void Read(Span<byte> buffer)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                device.Read(buffer);
                return;
            }
            catch (IOException) when (attempt < Attempts)
            {
                Thread.Yield();
                Thread.SpinWait(100_000);
            }
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                device.Write(buffer);
                return;
            }
            catch (IOException) when (attempt < Attempts)
            {
                Thread.Yield();
                Thread.SpinWait(100_000);
            }
        }
    }

    public override void WriteRead(ReadOnlySpan<byte> writeBuffer, Span<byte> readBuffer)
    {
        Write(writeBuffer);
        Read(readBuffer);
    }
}
