using System.Globalization;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>The setting SLOTS: a number, or two with .. between them.</summary>
/// <param name="Least">Slots at least.</param>
/// <param name="Most">Slots at most.</param>
readonly record struct SlotCount(int Least, int Most)
{
    /// <summary>More than any road needs; the broker has users for 64.</summary>
    const int Limit = 16;

    /// <summary>Reads and checks the setting; a problem goes to <see cref="Settings.Problem"/>.</summary>
    public static SlotCount Load(Settings settings)
    {
        var text = settings.Text(
            "SLOTS",
            "1",
            "Slots of this replica, each with its own journal, MQTT session and destination channel. 1..4: one, and up to four while "
                + "readings are late."
        );
        var parts = text.Split("..");
        if (parts.Length <= 2 && Number(parts[0]) is { } least && Number(parts[^1]) is { } most && least <= most)
            return new SlotCount(least, most);
        settings.Problem(
            $"SLOTS is '{text}'; it must be a whole number, 1 to {Limit}, or two with .. between them, the smaller one first, such as "
                + "1..4."
        );
        return new SlotCount(1, 1);
    }

    static int? Number(string text) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= Limit
            ? number
            : null;
}
