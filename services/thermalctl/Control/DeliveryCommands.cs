using System.CommandLine;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verbs <c>pause</c> and <c>resume</c>.</summary>
static class DeliveryCommands
{
    public static Command Pause()
    {
        var reason = new Option<string>("--reason")
        {
            Description = "The reason. The status and the log show it until somebody resumes.",
            HelpName = "TEXT",
        };
        var command = new Command(
            "pause",
            "Stops delivery to Snowflake and S3, over restarts too. Readings that arrive stay in the journals until these are full."
        )
        {
            reason,
        };
        return command.AsksChosen(
            async (run, cancellationToken) =>
                run.Show(
                    await run.CallAsync(
                        await run.ForwardersAsync(cancellationToken),
                        OperatorRun.Usual,
                        (client, call) => client.Forwarder.PauseAsync(new PauseRequest { Reason = run.Get(reason) ?? "" }, call),
                        cancellationToken
                    ),
                    _ => "paused; ./thermalctl resume delivers again",
                    (writer, _) => writer.WriteBoolean("paused", true)
                )
        );
    }

    public static Command Resume() =>
        new Command("resume", "Delivers again after `pause`.").AsksChosen(
            async (run, cancellationToken) =>
                run.Show(
                    await run.CallAsync(
                        await run.ForwardersAsync(cancellationToken),
                        OperatorRun.Usual,
                        (client, call) => client.Forwarder.ResumeAsync(new ResumeRequest(), call),
                        cancellationToken
                    ),
                    answer => answer.WasPaused ? "delivers again" : "was not paused",
                    (writer, answer) => writer.WriteBoolean("was_paused", answer.WasPaused)
                )
        );
}
