using ThermalStreaming.Testing;

namespace ThermalStreaming.Sensors.Tests;

/// <summary>An ICP-10125 as its data sheet describes it.</summary>
sealed class SimulatedIcp10125(ManualClock clock) : WordDevice(clock)
{
    int pointer = -1;

    public ushort Id { get; set; } = 0x0148;

    /// <summary>The calibration of the second worked example.</summary>
    public ushort[] Calibration { get; } = [0xEBC8, 0xE327, 0x0413, 0x0FD3];

    /// <summary>Pressure first: two words of pressure, one of temperature.</summary>
    public ushort[] Sample { get; set; } = [0xAF1D, 0xCE5C, 0x6551];

    /// <summary>A program that died left it measuring.</summary>
    public void Begin() => Takes(94.5, Sample);

    protected override void Execute(ushort command, ushort[] arguments)
    {
        switch (command)
        {
            case 0xEFC8:
                Takes(0, Id);
                break;
            case 0x805D:
                pointer = -1;
                Takes(0.17);
                break;
            case 0xC595 when arguments is [0x0066]:
                pointer = 0;
                break;
            case 0xC7F7 when pointer is >= 0 and < 4:
                Takes(0, Calibration[pointer++]);
                break;
            case 0x401A:
                Takes(1.8, Sample);
                break;
            case 0x48A3:
                Takes(6.3, Sample);
                break;
            case 0x5059:
                Takes(23.8, Sample);
                break;
            case 0x58E0:
                Takes(94.5, Sample);
                break;
            default:
                Violation($"unknown command {command:x4}");
                throw NotAcknowledged();
        }
    }
}
