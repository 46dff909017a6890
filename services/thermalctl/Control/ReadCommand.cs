using System.CommandLine;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verb <c>read</c>.</summary>
static class ReadCommand
{
    public static Command Create() =>
        new Command(
            "read",
            "Reads the sensors now, in addition to the usual readings. These values are neither stored nor sent."
        ).AsksChosen(
            async (run, cancellationToken) =>
            {
                var outcomes = await run.CallAsync(
                    await run.AgentsAsync(cancellationToken),
                    OperatorRun.Usual,
                    (client, call) => client.Agent.ReadNowAsync(new ReadNowRequest(), call),
                    cancellationToken
                );
                return run.Show(
                    outcomes,
                    _ => "read",
                    (writer, answer) => ReadingTable.Write(writer, answer.Reading),
                    (console, answer) => ReadingTable.Print(console, answer.Reading)
                );
            }
        );
}
