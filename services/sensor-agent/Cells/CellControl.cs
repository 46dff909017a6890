using System.Globalization;
using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.SensorAgent;

/// <summary>Tells which cell the device belongs to, and moves it to another one on request. Thread-safe.</summary>
/// <param name="options">Whether there are cells.</param>
/// <param name="move">Moves the device; null where there are no cells.</param>
sealed class CellControl(AgentOptions options, CellMove? move)
{
    /// <summary>Null where there are no cells.</summary>
    public CellStatus? Status()
    {
        if (move?.Cells is not { } cells)
            return null;
        return new CellStatus
        {
            Cells = (uint)cells.Map.Count,
            Cell = (uint)cells.Home,
            Target = (uint)cells.Target,
            Chosen = cells.IsChosen,
            ReadingsLeft = (ulong)move.ReadingsLeft,
            Progress = move.Progress,
        };
    }

    /// <summary>The choice is durable when the call returns.</summary>
    /// <exception cref="RpcException">
    /// INVALID_ARGUMENT, FAILED_PRECONDITION, or UNAVAILABLE where the disk refuses; nothing has changed.
    /// </exception>
    public CellStatus Move(MoveToCellRequest request)
    {
        if (move is null)
            throw ControlErrors.Precondition(
                "CELLS",
                options.DeviceId,
                "This agent has no cells: its MQTT_HOST names one broker. Write {cell} into it and set CELLS (docs/scaling.md)."
            );
        var count = options.Cells.Map.Count;
        if (request.HasCell == request.FollowSettings)
            throw ControlErrors.Invalid(("cell", "Give either cell or follow_settings."));
        if (request.HasCell && request.Cell >= count)
            throw ControlErrors.Invalid(
                ("cell", string.Create(CultureInfo.InvariantCulture, $"It is {request.Cell}; there are cells 0 to {count - 1} (CELLS)."))
            );
        try
        {
            move.Choose(request.HasCell ? (int)request.Cell : null, request.Abandon);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            throw ControlErrors.Because(
                StatusCode.Unavailable,
                "DISK",
                $"The command cannot be saved, so the device stays in its cell: {e.Message.TrimEnd('.')}. Free space on the data "
                    + "volume or look at the disk (dmesg), then call again."
            );
        }
        return Status()!;
    }
}
