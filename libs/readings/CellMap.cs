using System.Globalization;

namespace ThermalStreaming.Readings;

/// <summary>Which cell each device belongs to: by the device's name, or by an exception for it. Immutable.</summary>
/// <param name="Count">Number of cells, 1 to <see cref="CellHash.MostCells"/>.</param>
/// <param name="Pins">Devices whose cell is given, 0 to <paramref name="Count"/> - 1.</param>
public sealed record CellMap(int Count, IReadOnlyDictionary<string, int> Pins)
{
    /// <summary>One cell, which needs no number.</summary>
    public static CellMap One { get; } = new(1, new Dictionary<string, int>());

    /// <summary>The cell of a device, 0 to <see cref="Count"/> - 1.</summary>
    public int CellOf(string deviceId) => Pins.TryGetValue(deviceId, out var cell) ? cell : CellHash.CellOf(deviceId, Count);

    /// <summary>Reads pins in the form of CELL_PINS: <c>pi-attic=0, shelly-porch=2</c>.</summary>
    /// <param name="text">Pairs of device and cell, with commas between them.</param>
    /// <param name="count">Number of cells.</param>
    /// <param name="problem">What is wrong with it, for a person; null if nothing is.</param>
    public static IReadOnlyDictionary<string, int> ReadPins(string text, int count, out string? problem)
    {
        var pins = new Dictionary<string, int>(StringComparer.Ordinal);
        problem = null;
        foreach (var pair in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var at = pair.LastIndexOf('=');
            var device = at < 0 ? pair : pair[..at].TrimEnd();
            if (at < 0 || !int.TryParse(pair.AsSpan(at + 1).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var cell))
                problem ??= $"'{pair}' is not DEVICE=CELL, for example pi-attic=0";
            else if (cell >= count)
                problem ??= $"'{pair}' names cell {cell}, but there are cells 0 to {count - 1}";
            else if (!Topics.IsDeviceId(device))
                problem ??= $"'{device}' cannot be the name of a device";
            else if (!pins.TryAdd(device, cell))
                problem ??= $"'{device}' is listed twice";
        }
        return pins;
    }
}
