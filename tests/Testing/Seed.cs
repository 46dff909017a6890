namespace ThermalStreaming.Testing;

/// <summary>Where random tests get their randomness. Set THERMAL_TEST_SEED to repeat a failed run.</summary>
public static class Seed
{
    /// <summary>A generator and the seed that the caller must print.</summary>
    public static (Random Random, int Value) Next()
    {
        var value = int.TryParse(Environment.GetEnvironmentVariable("THERMAL_TEST_SEED"), out var fixedSeed)
            ? fixedSeed
            : Random.Shared.Next();
        return (new Random(value), value);
    }
}
