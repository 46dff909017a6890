using System.CommandLine;
using System.Text.Json;
using Google.Protobuf.Collections;
using Spectre.Console;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verb <c>sensors</c>: the sensors that the agents have found, their self-tests and their calibration.</summary>
static class SensorsCommand
{
    /// <summary>An agent's sensors test themselves one after the other, for up to 15 s each.</summary>
    static readonly TimeSpan testPatience = TimeSpan.FromMinutes(3);

    public static Command Create() => new("sensors", "The sensors that the agents have found.") { List(), Test(), Calibrate() };

    static Command List() =>
        new Command("list", "Shows each sensor, how often it was read and what is wrong with it.").AsksChosen(
            async (run, cancellationToken) =>
                run.Show(
                    await run.CallAsync(
                        await run.AgentsAsync(cancellationToken),
                        OperatorRun.Usual,
                        (client, call) => client.Agent.ListSensorsAsync(new ListSensorsRequest(), call),
                        cancellationToken
                    ),
                    answer => ShortText.Of((ulong)answer.Sensors.Count, "sensor"),
                    (writer, answer) => Write(writer, answer.Sensors),
                    (console, answer) => Print(console, answer.Sensors)
                )
        );

    static Command Test()
    {
        var sensor = SensorArgument(ArgumentArity.ZeroOrOne, "One sensor, as `list` names it; without it, all sensors.");
        var command = new Command(
            "test",
            "Has the sensors test themselves; a sensor without a self-test is read once. Takes up to 15 s a sensor."
        )
        {
            sensor,
        };
        return command.AsksChosen(
            async (run, cancellationToken) =>
            {
                var outcomes = await run.CallAsync(
                    await run.AgentsAsync(cancellationToken),
                    testPatience,
                    (client, call) => client.Agent.SelfTestAsync(new SelfTestRequest { SensorId = run.Get(sensor) ?? "" }, call),
                    cancellationToken
                );
                var code = run.Show(
                    outcomes,
                    answer => $"{answer.Results.Count(result => result.Passed)} of {answer.Results.Count} passed",
                    (writer, answer) =>
                    {
                        writer.WriteStartArray("results");
                        foreach (var result in answer.Results)
                        {
                            writer.WriteStartObject();
                            writer.WriteString("sensor", result.SensorId);
                            writer.WriteBoolean("passed", result.Passed);
                            writer.WriteString("detail", result.Detail);
                            writer.WriteEndObject();
                        }
                        writer.WriteEndArray();
                    },
                    (console, answer) =>
                    {
                        foreach (var result in answer.Results)
                            Print(console, result);
                    }
                );
                var failed = outcomes.Any(outcome => outcome.Answer is { } answer && answer.Results.Any(result => !result.Passed));
                return code == ExitCodes.Ok && failed ? ExitCodes.Failed : code;
            }
        );
    }

    static Command Calibrate()
    {
        var sensor = SensorArgument(ArgumentArity.ExactlyOne, "The sensor, as `list` names it.");
        var reference = new Argument<double>("reference") { Description = "The true value now, in the unit that `list` names." };
        var command = new Command("calibrate", "Calibrates a sensor against a known value.") { sensor, reference };
        return command.AsksChosen(
            async (run, cancellationToken) =>
            {
                var request = new CalibrateRequest { SensorId = run.Get(sensor), Reference = run.Get(reference) };
                return run.Show(
                    await run.CallAsync(
                        await run.AgentsAsync(cancellationToken),
                        testPatience,
                        (client, call) => client.Agent.CalibrateAsync(request, call),
                        cancellationToken
                    ),
                    answer =>
                        answer.HasCorrection
                            ? ShortText.Text($"{request.SensorId} is calibrated; it was off by {answer.Correction:0.##}")
                            : $"{request.SensorId} is calibrated",
                    (writer, answer) => JsonText.Number(writer, "correction", answer.HasCorrection ? answer.Correction : null)
                );
            }
        );
    }

    static Argument<string> SensorArgument(ArgumentArity arity, string description) =>
        new("sensor") { Description = description, Arity = arity };

    static void Print(IAnsiConsole console, SelfTestResult result)
    {
        var mark = result.Passed ? "[green]✓[/]" : "[red]✗[/]";
        console.MarkupLine($"    {mark} {Markup.Escape($"{result.SensorId}  {TerminalText.Plain(result.Detail)}")}");
    }

    static void Print(IAnsiConsole console, RepeatedField<Sensor> sensors)
    {
        if (sensors.Count == 0)
            return;
        var table = new Table().Border(TableBorder.None);
        table.AddColumns("    sensor", "at", "read", "failed", "odd", "what it is, and what is wrong");
        foreach (var sensor in sensors)
        {
            table.AddRow(
                new Text($"    {sensor.Id}"),
                new Text(sensor.Address),
                new Text(ShortText.Count(sensor.Reads)),
                new Text(ShortText.Count(sensor.Errors)),
                new Text(ShortText.Count(sensor.Flagged)),
                sensor.Problem.Length > 0
                    ? new Text(TerminalText.Plain(sensor.Problem), new Style(Color.Red))
                    : new Text(
                        sensor.Calibration.Length > 0 ? $"{sensor.Description}; calibrate: {sensor.Calibration}" : sensor.Description
                    )
            );
        }
        console.Write(table);
    }

    static void Write(Utf8JsonWriter writer, RepeatedField<Sensor> sensors)
    {
        writer.WriteStartArray("sensors");
        foreach (var sensor in sensors)
        {
            writer.WriteStartObject();
            writer.WriteString("id", sensor.Id);
            writer.WriteString("description", sensor.Description);
            writer.WriteString("address", sensor.Address);
            JsonText.Count(writer, "reads", sensor.Reads);
            JsonText.Count(writer, "errors", sensor.Errors);
            JsonText.Count(writer, "flagged", sensor.Flagged);
            writer.WriteString("last_read", ReplicaStatus.Iso(sensor.LastRead));
            writer.WriteString("problem", sensor.Problem);
            writer.WriteBoolean("has_self_test", sensor.HasSelfTest);
            writer.WriteString("calibration", sensor.Calibration);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
