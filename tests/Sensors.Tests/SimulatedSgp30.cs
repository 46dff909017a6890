using ThermalStreaming.Testing;

namespace ThermalStreaming.Sensors.Tests;

/// <summary>An SGP30 as its data sheet (v1.0) describes it.</summary>
sealed class SimulatedSgp30(ManualClock clock) : WordDevice(clock)
{
    long? initialisedAt;
    (ushort EquivalentCo2, ushort Tvoc)? baseline;

    public ushort FeatureSet { get; set; } = 0x0022;

    public ushort Serial { get; set; } = 0x1234;

    /// <summary>What it says of the air, once warm: eCO2 and TVOC.</summary>
    public ushort[] Air { get; set; } = [512, 37];

    public int Initialisations { get; private set; }

    public ushort? Humidity { get; private set; }

    /// <summary>When measure_iaq came, in ticks.</summary>
    public List<long> Measured { get; } = [];

    /// <summary>What was written with set_iaq_baseline, in the order of the wire.</summary>
    public List<ushort[]> WrittenBaselines { get; } = [];

    public void PowerDip() => (initialisedAt, baseline, Humidity) = (null, null, null);

    protected override void Execute(ushort command, ushort[] arguments)
    {
        var age = initialisedAt is { } at ? TimeSpan.FromTicks(Now - at) : TimeSpan.Zero;
        switch (command)
        {
            case 0x2003:
                (initialisedAt, baseline) = (Now, null);
                Initialisations++;
                Takes(10);
                break;
            case 0x2008:
                Measured.Add(Now);
                Takes(12, initialisedAt is null || age < TimeSpan.FromSeconds(15) ? [400, 0] : Air);
                break;
            case 0x2015:
                var current =
                    baseline
                    ?? (
                        initialisedAt is not null && age >= TimeSpan.FromHours(1)
                            ? ((ushort)0x8973, (ushort)0x8AAE)
                            : ((ushort)0, (ushort)0)
                    );
                Takes(10, current.Item1, current.Item2);
                break;
            case 0x201E when arguments.Length == 2:
                WrittenBaselines.Add(arguments);
                baseline = (arguments[1], arguments[0]);
                Takes(10);
                break;
            case 0x2061 when arguments.Length == 1:
                Humidity = arguments[0];
                Takes(10);
                break;
            case 0x202F:
                Takes(10, FeatureSet);
                break;
            case 0x3682:
                Takes(0.5, 0, 0x00AB, Serial);
                break;
            default:
                Violation($"unknown command {command:x4}");
                throw NotAcknowledged();
        }
    }
}
