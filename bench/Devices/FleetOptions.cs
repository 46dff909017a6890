using System.Globalization;

namespace ThermalStreaming.Bench;

/// <summary>What <c>bench/fleet</c> is asked to do.</summary>
/// <param name="Sizes">Numbers of devices.</param>
/// <param name="Interval">Between the readings of a device; null: by <see cref="IntervalOf"/>.</param>
/// <param name="Steady">How long the default rate is watched.</param>
/// <param name="Outage">How long all devices are without a connection.</param>
/// <param name="CommitDelay">Of the emulator.</param>
/// <param name="IsCompiled">Whether forwarder and emulator run as compiled natively.</param>
/// <param name="Settings">Of the forwarder, besides those of the run.</param>
/// <param name="Results">The file of results.</param>
sealed record FleetOptions(
    IReadOnlyList<int> Sizes,
    TimeSpan? Interval,
    TimeSpan Steady,
    TimeSpan Outage,
    TimeSpan CommitDelay,
    bool IsCompiled,
    IReadOnlyList<(string Key, string Value)> Settings,
    string Results
)
{
    /// <summary>Readings a second that two processors carry beside the devices that send them, with room to spare.</summary>
    public const int MostPerSecond = 2_000;

    /// <summary>Open files of a process besides its connections to devices.</summary>
    const int OtherDescriptors = 900;

    /// <summary>The interval of a device as long as the fleet is small.</summary>
    public static readonly TimeSpan UsualInterval = TimeSpan.FromSeconds(10);

    public static readonly int[] UsualSizes = [100, 1_000, 10_000, 100_000];

    /// <summary>10 s, or as much more as keeps the fleet at <see cref="MostPerSecond"/>.</summary>
    public static TimeSpan IntervalOf(int devices) =>
        TimeSpan.FromSeconds(Math.Max(UsualInterval.TotalSeconds, (double)devices / MostPerSecond));

    /// <summary>
    /// One for each device, or, where the system does not allow so many descriptors, one for every few devices.
    /// </summary>
    /// <param name="devices">How many.</param>
    /// <param name="descriptors">Open files that a process may have.</param>
    public static int ConnectionsOf(int devices, long descriptors)
    {
        var most = Math.Max(1, descriptors - OtherDescriptors);
        var share = (int)((devices + most - 1) / most);
        while (devices % share != 0)
            share++;
        return devices / share;
    }

    /// <summary>Reads the arguments behind the verb.</summary>
    /// <exception cref="ArgumentException">What is wrong with them.</exception>
    public static FleetOptions Parse(string root, IReadOnlyList<string> arguments)
    {
        var options = new FleetOptions(
            UsualSizes,
            null,
            TimeSpan.FromSeconds(60),
            TimeSpan.FromSeconds(10),
            TimeSpan.FromSeconds(5),
            IsCompiled: true,
            [],
            Path.Combine(root, "bench/fleet-results.json")
        );
        for (var i = 0; i < arguments.Count; i++)
        {
            var (name, value) = (arguments[i], i + 1 < arguments.Count ? arguments[i + 1] : "");
            switch (name)
            {
                case "--only":
                    options = options with { Sizes = [.. value.Split(',').Select(size => Number(name, size, 1, 200_000))] };
                    break;
                case "--interval":
                    options = options with { Interval = TimeSpan.FromSeconds(Number(name, value, 1, 86_400)) };
                    break;
                case "--seconds":
                    options = options with { Steady = TimeSpan.FromSeconds(Number(name, value, 1, 3_600)) };
                    break;
                case "--outage":
                    options = options with { Outage = TimeSpan.FromSeconds(Number(name, value, 1, 3_600)) };
                    break;
                case "--commit-delay":
                    options = options with { CommitDelay = TimeSpan.FromSeconds(Number(name, value, 0, 600)) };
                    break;
                case "--set":
                    var (key, setting) = value.Split('=', 2) is [{ Length: > 0 } before, var after]
                        ? (before, after)
                        : throw new ArgumentException($"{name} wants NAME=VALUE, not '{value}'");
                    options = options with { Settings = [.. options.Settings, (key, setting)] };
                    break;
                case "--results":
                    options = options with { Results = value.Length > 0 ? value : throw new ArgumentException($"{name} wants a file") };
                    break;
                case "--short":
                    options = options with { Steady = TimeSpan.FromSeconds(15), Outage = TimeSpan.FromSeconds(3) };
                    continue;
                case "--built":
                    options = options with { IsCompiled = false };
                    continue;
                case "--no-build":
                    continue;
                default:
                    throw new ArgumentException($"there is no option {name}; bench/fleet --help lists them");
            }
            i++;
        }
        return options;
    }

    static int Number(string option, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new ArgumentException($"{option} wants a number from {least} to {most}, not '{text}'");
}
