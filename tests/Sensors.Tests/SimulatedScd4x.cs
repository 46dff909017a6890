using ThermalStreaming.Testing;

namespace ThermalStreaming.Sensors.Tests;

/// <summary>An SCD40, SCD41 or SCD43 as its data sheet (v1.7) describes it.</summary>
sealed class SimulatedScd4x(ManualClock clock) : WordDevice(clock)
{
    long? measuringSince;
    TimeSpan interval;
    long sampleRead;
    bool singleShotReady;
    long measured;

    /// <summary>The variant word; null: an early chip that does not know the question.</summary>
    public ushort? Variant { get; set; } = 0x0440;

    public ushort[] Sample { get; set; } = [0x01F4, 0x6667, 0x5EB9];

    public ushort TemperatureOffset { get; set; } = 0x0599;

    public ushort Altitude { get; set; }

    public ushort SelfCalibration { get; set; } = 1;

    public ushort? Pressure { get; private set; }

    /// <summary>What the self-test answers: 0, no fault.</summary>
    public ushort Malfunction { get; set; }

    public int MemoryWrites { get; private set; }

    public int Samples { get; private set; }

    public bool IsAsleep { get; set; }

    public bool IsMeasuring => measuringSince is not null;

    bool HasShots => Variant >> 12 is 1 or 5;

    /// <summary>As a program leaves it that died.</summary>
    public void Begin(double seconds)
    {
        (measuringSince, interval, sampleRead) = (Now, TimeSpan.FromSeconds(seconds), 0);
    }

    /// <summary>A single shot of a program that dies during it.</summary>
    public void BeginShot()
    {
        singleShotReady = true;
        Takes(5_000);
    }

    /// <summary>The supply fails for a moment: idle, volatile settings lost.</summary>
    public void PowerDip()
    {
        (measuringSince, Pressure, singleShotReady, measured) = (null, null, false, 0);
    }

    bool IsReady => singleShotReady || (measuringSince is { } since && (Now - since) / interval.Ticks > sampleRead);

    protected override void Execute(ushort command, ushort[] arguments)
    {
        if (command == 0x36F6)
        {
            IsAsleep = false;
            Takes(30);
            throw NotAcknowledged();
        }
        if (IsAsleep)
            throw NotAcknowledged();
        switch (command)
        {
            case 0xE4B8:
                Takes(1, (ushort)(0x8000 | (IsReady ? 6 : 0)));
                return;
            case 0xEC05:
                if (!IsReady)
                {
                    Violation("read_measurement from an empty buffer");
                    throw NotAcknowledged();
                }
                sampleRead = measuringSince is { } since ? (Now - since) / interval.Ticks : 0;
                singleShotReady = false;
                Samples++;
                Takes(1, Sample);
                return;
            case 0xE000 when arguments.Length == 1:
                if (arguments[0] is < 700 or > 1200)
                    Violation($"pressure {arguments[0]}");
                Pressure = arguments[0];
                Takes(1);
                return;
            case 0x3F86:
                if (measuringSince is { } began)
                    measured = Now - began;
                measuringSince = null;
                Takes(500);
                return;
        }
        if (IsMeasuring)
        {
            Violation($"{command:x4} while measuring");
            throw NotAcknowledged();
        }
        ExecuteIdle(command, arguments);
    }

    void ExecuteIdle(ushort command, ushort[] arguments)
    {
        switch (command)
        {
            case 0x21B1:
                Begin(5);
                break;
            case 0x21AC:
                Begin(30);
                break;
            case 0x241D:
                TemperatureOffset = arguments[0];
                Takes(1);
                break;
            case 0x2318:
                Takes(1, TemperatureOffset);
                break;
            case 0x2427:
                Altitude = arguments[0];
                Takes(1);
                break;
            case 0x2322:
                Takes(1, Altitude);
                break;
            case 0x2416:
                SelfCalibration = arguments[0];
                Takes(1);
                break;
            case 0x2313:
                Takes(1, SelfCalibration);
                break;
            case 0x3615:
                MemoryWrites++;
                Takes(800);
                break;
            case 0x3639:
                Takes(10_000, Malfunction);
                break;
            case 0x3682:
                Takes(1, 0xF896, 0x9F07, 0x3BBE);
                break;
            case 0x202F when Variant is { } variant:
                Takes(1, variant);
                break;
            case 0x219D when HasShots:
                singleShotReady = true;
                Takes(5_000);
                break;
            case 0x362F:
                Takes(400, measured >= TimeSpan.FromMinutes(3).Ticks ? (ushort)(0x8000 + arguments[0] - Sample[0]) : (ushort)0xFFFF);
                break;
            default:
                if (command != 0x202F)
                    Violation($"unknown command {command:x4}");
                throw NotAcknowledged();
        }
    }
}
