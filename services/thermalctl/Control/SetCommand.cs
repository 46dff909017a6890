using System.CommandLine;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verb <c>set</c>: sets how the agents take readings; they keep this over restarts.</summary>
static class SetCommand
{
    public static Command Create() =>
        new("set", "Changes how readings are taken, from the next batch on, and keeps it over restarts.") { Interval(), Batch(), Reset() };

    static Command Interval()
    {
        var interval = new Argument<string>("interval")
        {
            Description = "The time between two batches: 100ms to 1d, for example 500ms, 5s, 2m.",
        };
        interval.Validators.Add(result =>
        {
            if (!Settings.TryParseDuration(result.GetValueOrDefault<string>() ?? "", out var value) || value <= TimeSpan.Zero)
                result.AddError("interval must be a time with its unit, for example 500ms, 5s or 2m.");
        });
        var kind = Kind();
        var command = new Command("interval", "Sets the time between two batches of readings.") { interval, kind };
        return Sets(
            command,
            kind,
            (run, request) =>
            {
                _ = Settings.TryParseDuration(run.Get(interval)!, out var value);
                request.Interval = Duration.FromTimeSpan(value);
            }
        );
    }

    static Command Batch()
    {
        var size = new Argument<int>("readings") { Description = "Thermal readings a batch, 1 to 5000." };
        size.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
                result.AddError("readings must be 1 or more.");
        });
        return Sets(
            new Command("batch", "Sets how many thermal readings a batch has, spread over the interval.") { size },
            kind: null,
            (run, request) => request.BatchSize = (uint)run.Get(size)
        );
    }

    static Command Reset()
    {
        var kind = Kind();
        return Sets(
            new Command("reset", "Removes what was set: the configuration applies again.") { kind },
            kind,
            (_, request) => request.Reset = true
        );
    }

    static Option<string> Kind()
    {
        var kind = new Option<string>("--kind")
        {
            Description = "The kind of readings.",
            HelpName = "thermal|inverter",
            DefaultValueFactory = _ => "thermal",
        };
        kind.AcceptOnlyFromAmong("thermal", "inverter");
        return kind;
    }

    static Command Sets(Command command, Option<string>? kind, Action<OperatorRun, SetSamplingRequest> fill) =>
        command.AsksChosen(
            async (run, cancellationToken) =>
            {
                var request = new SetSamplingRequest { Kind = kind is null ? "thermal" : run.Get(kind)! };
                fill(run, request);
                return run.Show(
                    await run.CallAsync(
                        await run.AgentsAsync(cancellationToken),
                        OperatorRun.Usual,
                        (client, call) => client.Agent.SetSamplingAsync(request, call),
                        cancellationToken
                    ),
                    answer => Describe(request.Kind, answer),
                    Write
                );
            }
        );

    static string Describe(string kind, Sampling sampling) =>
        ShortText.Text(
            $"{kind}: {ShortText.Of(sampling.BatchSize, "reading")} every {sampling.Interval?.ToTimeSpan().TotalSeconds:0.###} s, "
        ) + (sampling.Overridden ? "set by hand" : "as the configuration says");

    static void Write(Utf8JsonWriter writer, Sampling sampling)
    {
        writer.WriteBoolean("enabled", sampling.Enabled);
        JsonText.Number(writer, "interval_s", sampling.Interval?.ToTimeSpan().TotalSeconds);
        writer.WriteNumber("batch_size", sampling.BatchSize);
        writer.WriteBoolean("overridden", sampling.Overridden);
    }
}
