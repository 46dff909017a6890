using System.CommandLine;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verb <c>status</c>.</summary>
static class StatusCommand
{
    public static Command Create() =>
        new Command("status", "Shows what every service and replica does now, and what is wrong.").Asks(
            async (run, cancellationToken) =>
            {
                var rows = await run.Installation.AskAsync(cancellationToken);
                if (run.WantsJson)
                    JsonText.Print(writer => StatusReport.Write(writer, rows));
                else
                    StatusReport.Print(run.Console, rows);
                return StatusReport.ExitCode(rows);
            }
        );
}
