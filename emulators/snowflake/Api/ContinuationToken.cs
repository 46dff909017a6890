using System.Globalization;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Proves that an append follows the previous one: <c>CLIENT_ROW</c>, as in 0_1.</summary>
/// <param name="Client">How often the channel's name was opened before, from 0.</param>
/// <param name="Row">The number of the append since then, from 1.</param>
readonly record struct ContinuationToken(int Client, int Row)
{
    /// <summary>Reads a token; null if this emulator cannot have issued it.</summary>
    public static ContinuationToken? TryParse(string text) =>
        text.Split('_') is [var client, var row] && TryNumber(client, out var first) && TryNumber(row, out var second)
            ? new ContinuationToken(first, second)
            : null;

    static bool TryNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Client}_{Row}");
}
