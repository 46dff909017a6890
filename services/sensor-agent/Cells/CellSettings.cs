using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>The settings of an installation with several cells: CELLS and CELL_PINS.</summary>
static class CellSettings
{
    /// <summary>
    /// Reads and checks them; problems go to <see cref="Settings.Problem"/>. Settings read from <paramref name="settings"/> afterwards have
    /// the cell's number in place of <see cref="CellOptions.Placeholder"/>.
    /// </summary>
    public static CellOptions Load(Settings settings, string deviceId, string dataDirectory)
    {
        var count = settings.WholeNumber(
            "CELLS",
            1,
            1,
            CellHash.MostCells,
            "Cells of the installation. {cell} in MQTT_HOST and other MQTT_ settings stands for the number of this device's cell, 0 to "
                + "CELLS - 1, which its name decides (docs/scaling.md)."
        );
        var text = settings.OptionalText("CELL_PINS", "Devices with a fixed cell, whatever their name: DEVICE=CELL,DEVICE=CELL.");
        var pins = CellMap.ReadPins(text ?? "", count, out var problem);
        if (problem is not null)
            settings.Problem($"CELL_PINS is '{text}': {problem}; write DEVICE=CELL with commas between them.");
        var isUsed = Mentions(settings, "MQTT_HOST") || Mentions(settings, "MQTT_PORT");
        if (count > 1 && !isUsed)
            settings.Problem(
                $"CELLS is {count}, but MQTT_HOST names one broker for all of them; write {CellOptions.Placeholder} where the cell's number "
                    + $"belongs, for example MQTT_HOST=cell-{CellOptions.Placeholder}.example.com."
            );
        if (!isUsed)
            return CellOptions.Unused;
        var options = new CellOptions
        {
            IsUsed = true,
            Map = new CellMap(count, pins),
            State = ReadState(settings, dataDirectory),
            DeviceId = deviceId,
        };
        settings.Replace(CellOptions.Placeholder, options.Home.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return options;
    }

    static bool Mentions(Settings settings, string key) =>
        settings.Peek(key)?.Contains(CellOptions.Placeholder, StringComparison.Ordinal) == true;

    static CellState ReadState(Settings settings, string dataDirectory)
    {
        var path = CellState.PathIn(dataDirectory);
        try
        {
            if (CellState.Read(dataDirectory) is { } state)
                return state;
            // Without the file's content, the agent could publish to one cell what another one already has.
            settings.Problem(
                $"{path}, which says to which cell this device's readings have gone, is damaged or of a newer version; start that version, "
                    + "or remove the file: what was published within REPLAY_WINDOW may then be stored twice if the device has another cell now."
            );
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            settings.Problem(
                $"{path}, which says to which cell this device's readings have gone, cannot be read ({e.Message.TrimEnd('.')}); look at the "
                    + "disk (dmesg) and at the permissions of DATA_DIRECTORY."
            );
        }
        return CellState.None;
    }
}
