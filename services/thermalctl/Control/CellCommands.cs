using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using ThermalStreaming.Control;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verb <c>cells</c>: shows which cell devices belong to, and moves an agent to another one.</summary>
static class CellCommands
{
    const string BySettings = "auto";

    static readonly TimeSpan look = TimeSpan.FromSeconds(1);

    public static Command Create() =>
        new("cells", "The cells that devices belong to, where there are several (docs/scaling.md).") { Status(), Where(), Move() };

    static Command Status() =>
        new Command("status", "Shows the cell of each agent, and the progress of a move.").AsksChosen(
            async (run, cancellationToken) =>
                run.Show(
                    await run.CallAsync(
                        await run.AgentsAsync(cancellationToken),
                        OperatorRun.Usual,
                        (client, call) => client.Agent.GetStatusAsync(new GetAgentStatusRequest(), call),
                        cancellationToken
                    ),
                    answer => Describe(answer.Cell),
                    (writer, answer) => Write(writer, answer.Cell)
                )
        );

    static Command Where()
    {
        var devices = new Argument<string[]>("device") { Description = "Names of devices.", Arity = ArgumentArity.OneOrMore };
        var cells = new Option<int?>("--cells") { Description = "How many cells there are. Otherwise CELLS." };
        var pins = new Option<string?>("--pins")
        {
            Description = "Devices with a fixed cell, written as in CELL_PINS. Otherwise CELL_PINS.",
        };
        var command = new Command("where", "Says which cell a device belongs to, for a device that cannot compute it.")
        {
            devices,
            cells,
            pins,
            OperatorOptions.Json,
        };
        command.SetAction(parsed =>
        {
            var map = Map(parsed.GetValue(cells), parsed.GetValue(pins));
            var found = parsed.GetValue(devices)!.Select(device => (Device: device, Cell: map.CellOf(device))).ToList();
            if (parsed.GetValue(OperatorOptions.Json))
                JsonText.Print(writer =>
                {
                    writer.WriteStartObject();
                    foreach (var (device, cell) in found)
                        writer.WriteNumber(device, cell);
                    writer.WriteEndObject();
                });
            else
                foreach (var (device, cell) in found)
                    Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{TerminalText.Plain(device)} {cell}"));
        });
        return command;
    }

    static Command Move()
    {
        var cell = new Argument<string>("cell")
        {
            Description = $"Number of the cell, from 0; `{BySettings}`: the cell that the settings name.",
        };
        cell.Validators.Add(result =>
        {
            var text = result.GetValueOrDefault<string>() ?? "";
            if (text != BySettings && !uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                result.AddError($"cell must be a number from 0, or {BySettings}.");
        });
        var abandon = new Option<bool>("--abandon")
        {
            Description =
                "The old cell is lost: do not wait for it. Readings that it stored and that are still on the device are stored twice.",
        };
        var wait = new Option<bool>("--wait") { Description = "Wait until the move has ended, which takes a little over REPLAY_WINDOW." };
        return new Command(
            "move",
            "Moves an agent's device to another cell. The old cell gets the readings taken before; readings taken meanwhile wait on "
                + "the device."
        )
        {
            cell,
            abandon,
            wait,
        }.AsksChosen(
            async (run, cancellationToken) =>
            {
                var request = new MoveToCellRequest { Abandon = run.Get(abandon), FollowSettings = run.Get(cell) == BySettings };
                if (!request.FollowSettings)
                    request.Cell = uint.Parse(run.Get(cell)!, NumberStyles.None, CultureInfo.InvariantCulture);
                var agents = await run.AgentsAsync(cancellationToken);
                var outcomes = await run.CallAsync(
                    agents,
                    OperatorRun.Usual,
                    (client, call) => client.Agent.MoveToCellAsync(request, call),
                    cancellationToken
                );
                if (run.Get(wait))
                    outcomes = await ArrivedAsync(run, outcomes, cancellationToken);
                return run.Show(outcomes, Describe, Write);
            }
        );
    }

    /// <summary>Waits until every agent that began a move has finished it. An agent restarts in between.</summary>
    static async Task<IReadOnlyList<CallOutcome<CellStatus>>> ArrivedAsync(
        OperatorRun run,
        IReadOnlyList<CallOutcome<CellStatus>> outcomes,
        CancellationToken cancellationToken
    )
    {
        var said = "";
        while (outcomes.FirstOrDefault(outcome => outcome.Answer is { } answer && answer.Cell != answer.Target) is { } moving)
        {
            if (!run.WantsJson && moving.Answer!.Progress != said)
                run.Console.MarkupLineInterpolated($"  {moving.Replica.Name} {TerminalText.Plain(said = moving.Answer.Progress)}");
            await Task.Delay(look, TimeProvider.System, cancellationToken);
            var now = await run.CallAsync(
                outcomes.Where(outcome => outcome.Answer is not null).Select(outcome => outcome.Replica),
                OperatorRun.Usual,
                (client, call) => client.Agent.GetStatusAsync(new GetAgentStatusRequest(), call),
                cancellationToken
            );
            outcomes =
            [
                .. outcomes.Select(outcome =>
                    now.FirstOrDefault(answer => answer.Replica == outcome.Replica)?.Answer?.Cell is { } cell
                        ? outcome with
                        {
                            Answer = cell,
                        }
                        : outcome
                ),
            ];
        }
        return outcomes;
    }

    static CellMap Map(int? cells, string? pins)
    {
        var text = Environment.GetEnvironmentVariable("CELLS");
        var count = cells ?? (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var set) ? set : 0);
        if (count is < 1 or > CellHash.MostCells)
            throw new FailureException(
                "the number of cells is not known",
                cells is null && string.IsNullOrEmpty(text)
                    ? "Neither CELLS in .env nor --cells is set"
                    : $"It is '{cells?.ToString(CultureInfo.InvariantCulture) ?? text}'",
                $"give --cells a number from 1 to {CellHash.MostCells}",
                OperatorExit.Usage
            );
        var pinned = pins ?? Environment.GetEnvironmentVariable("CELL_PINS") ?? "";
        var map = new CellMap(count, CellMap.ReadPins(pinned, count, out var problem));
        return problem is null
            ? map
            : throw new FailureException(
                "the pins cannot be read",
                problem,
                "write DEVICE=CELL with commas between them, in --pins or CELL_PINS",
                OperatorExit.Usage
            );
    }

    static string Describe(CellStatus? cell) =>
        cell is null ? "knows one broker; cells are not in use"
        : cell.Progress.Length > 0 ? TerminalText.Plain(cell.Progress)
        : $"in cell {cell.Cell} of {cell.Cells}, {(cell.Chosen ? "chosen by command" : "as the settings say")}";

    static void Write(Utf8JsonWriter writer, CellStatus? cell)
    {
        if (cell is null)
        {
            writer.WriteNull("cell");
            return;
        }
        writer.WriteNumber("cell", cell.Cell);
        writer.WriteNumber("cells", cell.Cells);
        writer.WriteNumber("target", cell.Target);
        writer.WriteBoolean("chosen", cell.Chosen);
        JsonText.Count(writer, "readings_left", cell.ReadingsLeft);
        writer.WriteString("progress", cell.Progress);
    }
}
