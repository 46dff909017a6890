using System.Globalization;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The login names of this program at the project's broker. The broker uses the user name as the client id, so each connection needs its
/// own name.
/// </summary>
static class BrokerLoginName
{
    public const string User = "cli";

    /// <summary>Most connections at once.</summary>
    public const int Count = 32;

    /// <summary>All names: cli, cli/2, … cli/32.</summary>
    public static IEnumerable<string> All => Enumerable.Range(1, Count).Select(Numbered);

    /// <summary>A random one other than <paramref name="taken"/>.</summary>
    public static string Random(string? taken)
    {
        var names = All.Where(name => name != taken).ToList();
        return names[System.Random.Shared.Next(names.Count)];
    }

    static string Numbered(int number) => number == 1 ? User : string.Create(CultureInfo.InvariantCulture, $"{User}/{number}");
}
