using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>Which cell this device belongs to, and which cell its readings go to until it may change. Immutable.</summary>
sealed record CellOptions
{
    /// <summary>Stands for the cell's number in MQTT_HOST and the other settings of the broker.</summary>
    public const string Placeholder = "{cell}";

    /// <summary>For an agent whose settings name one broker.</summary>
    public static CellOptions Unused { get; } =
        new()
        {
            IsUsed = false,
            Map = CellMap.One,
            State = CellState.None,
            DeviceId = "",
        };

    /// <summary>Whether the settings have a place for the cell's number.</summary>
    public required bool IsUsed { get; init; }

    public required CellMap Map { get; init; }

    /// <summary>The state from disk.</summary>
    public required CellState State { get; init; }

    public required string DeviceId { get; init; }

    /// <summary>Whether somebody chose <see cref="Target"/> by command.</summary>
    public bool IsChosen => State.Chosen < Map.Count;

    /// <summary>The cell that the device belongs to.</summary>
    public int Target => IsChosen ? State.Chosen!.Value : Map.CellOf(DeviceId);

    /// <summary>The cell whose broker the agent connects to: <see cref="Target"/>, or the one that must get its readings first.</summary>
    public int Home => State.Home ?? Target;

    /// <summary>How much of an outbox earlier cells already have; null if nothing.</summary>
    public CellMark? LeftBehind(ReadingKind kind) => State.Marks.FirstOrDefault(mark => mark.Kind == kind);
}
