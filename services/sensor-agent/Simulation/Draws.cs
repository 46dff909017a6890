using System.Text;

namespace ThermalStreaming.SensorAgent;

/// <summary>Random numbers as a function of a key and an index: they are the same in any order and after any restart. Immutable.</summary>
readonly struct Draws
{
    /// <summary>2⁶⁴ divided by the golden ratio, the step of SplitMix64.</summary>
    const ulong Golden = 0x9E3779B97F4A7C15;

    readonly ulong key;

    public Draws(int seed) => key = Mix((ulong)(uint)seed + Golden);

    Draws(ulong key) => this.key = key;

    /// <summary>A seed for a name; never changes.</summary>
    public static int SeedOf(string name) => (int)new Draws(0).Of(name).key;

    /// <summary>Independent numbers under the same seed, for the thing of this name.</summary>
    public Draws Of(string name)
    {
        var mixed = key;
        foreach (var value in Encoding.UTF8.GetBytes(name))
            mixed = Mix(mixed ^ value);
        return new(mixed);
    }

    /// <summary>Independent numbers under the same seed, for the thing of this number.</summary>
    public Draws Of(long number) => new(Mix(key + (ulong)number * Golden));

    /// <summary>Uniform from 0 to below 1.</summary>
    public double Uniform(long index) => (Mix(key ^ Mix((ulong)index + Golden)) >> 11) * (1.0 / (1UL << 53));

    /// <summary>Normal, mean 0, deviation 1.</summary>
    // Box and Muller; 1 − u keeps the logarithm finite.
    public double Gaussian(long index) => Math.Sqrt(-2 * Math.Log(1 - Uniform(2 * index))) * Math.Cos(2 * Math.PI * Uniform(2 * index + 1));

    /// <summary>Exponential, mean 1.</summary>
    public double Exponential(long index) => -Math.Log(1 - Uniform(index));

    // SplitMix64's finalizer: every bit of the result depends on every bit of the value.
    static ulong Mix(ulong value)
    {
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9;
        value = (value ^ value >> 27) * 0x94D049BB133111EB;
        return value ^ value >> 31;
    }
}
