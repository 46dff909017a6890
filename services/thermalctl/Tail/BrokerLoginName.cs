using System.Globalization;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The names under which this program logs in at the project's broker. The broker makes the user name the client id, so each connection
/// needs a name of its own.
/// </summary>
static class BrokerLoginName
{
    public const string User = "cli";

    /// <summary>How many connections there can be at once.</summary>
    public const int Count = 32;

    /// <summary>All names: cli, cli/2, … cli/32.</summary>
    public static IEnumerable<string> All => Enumerable.Range(1, Count).Select(Numbered);

    /// <summary>One of them, other than <paramref name="taken"/>.</summary>
    public static string Random(string? taken)
    {
        var names = All.Where(name => name != taken).ToList();
        return names[System.Random.Shared.Next(names.Count)];
    }

    static string Numbered(int number) => number == 1 ? User : string.Create(CultureInfo.InvariantCulture, $"{User}/{number}");
}
