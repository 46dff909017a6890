using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Spectre.Console;
using ThermalStreaming.Hosting;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>The verb <c>sensors</c>: what is attached, what it says, and recalibration.</summary>
/// <param name="load">Returns the settings, or ends the program with their problems.</param>
sealed class SensorCommands(Func<AgentOptions> load)
{
    /// <summary>An SGP30 needs 15 s; an SCD4x 5 s, in low power 30 s.</summary>
    static readonly TimeSpan ListTime = TimeSpan.FromSeconds(4),
        ReadTime = TimeSpan.FromSeconds(45),
        WatchInterval = TimeSpan.FromSeconds(2);

    /// <summary>Minutes of measurement that the sensor needs before a recalibration.</summary>
    const int LeastMinutes = 3;

    readonly I2cBuses buses = new();

    public Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON for machines." };
        var list = new Command("list", "Show which sensors are on which bus.") { json };
        list.SetAction((parsed, cancel) => ShowAsync(parsed, waits: false, parsed.GetValue(json), cancel));
        var read = new Command("read", "Wait until every sensor has a value, at most 45 s, and show them.") { json };
        read.SetAction((parsed, cancel) => ShowAsync(parsed, waits: true, parsed.GetValue(json), cancel));
        var watch = new Command("watch", "Show the values of the running agent every 2 s until Ctrl+C.");
        watch.SetAction(WatchAsync);
        return new Command("sensors", "The sensors of this machine: what is attached, what it measures, recalibration.")
        {
            list,
            read,
            watch,
            Calibrate(),
        };
    }

    Command Calibrate()
    {
        var ppm = new Option<int>("--ppm")
        {
            Description = "CO2 of the air around the sensor now, 400 to 2000; fresh outdoor air has about 425.",
            Required = true,
        };
        var minutes = new Option<int?>("--minutes")
        {
            Description = $"Minutes that it measures before, {LeastMinutes} to 60; {LeastMinutes} if not given.",
        };
        var calibrate = new Command("calibrate", "Recalibrate the SCD4x to air of known CO2, while the agent is stopped. Cannot be undone.")
        {
            ppm,
            minutes,
        };
        calibrate.Validators.Add(result =>
        {
            if (result.GetResult(ppm) is not null && result.GetValue(ppm) is < 400 or > 2_000)
                result.AddError("--ppm must be 400 to 2000.");
            if (result.GetValue(minutes) is < LeastMinutes or > 60)
                result.AddError($"--minutes must be {LeastMinutes} to 60.");
        });
        calibrate.SetAction(
            (parsed, cancel) =>
                CalibrateAsync(parsed, parsed.GetValue(ppm), TimeSpan.FromMinutes(parsed.GetValue(minutes) ?? LeastMinutes), cancel)
        );
        return calibrate;
    }

    async Task<int> ShowAsync(ParseResult parsed, bool waits, bool json, CancellationToken cancellationToken)
    {
        var survey = new SensorSurvey(load().Sensors, buses, Running(), TimeProvider.System);
        var rows = waits ? await survey.AskAgentForValuesAsync(ReadTime, cancellationToken) : await survey.AskAgentAsync(cancellationToken);
        string? problem = null;
        if (rows is null)
        {
            (rows, problem) = waits
                ? await survey.ReadAsync(ReadTime, SensorSurvey.HasValues, cancellationToken)
                : await survey.ReadAsync(ListTime, SensorSurvey.IsKnown, cancellationToken);
        }
        var output = parsed.InvocationConfiguration.Output;
        if (json)
            output.WriteLine(ToJson(rows));
        else if (rows.Count > 0)
            WriteTable(output, rows);
        if (problem is null)
            return ExitCodes.Ok;
        parsed.InvocationConfiguration.Error.WriteLine($"sensors: {problem}. See docs/hardware.md.");
        return ExitCodes.Failed;
    }

    async Task<int> WatchAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var survey = new SensorSurvey(load().Sensors, buses, Running(), TimeProvider.System);
        var output = parsed.InvocationConfiguration.Output;
        try
        {
            while (true)
            {
                if (await survey.AskAgentAsync(cancellationToken) is not { } rows)
                {
                    parsed.InvocationConfiguration.Error.WriteLine(
                        "sensors: no agent that reads sensors answers here; start it, or use: sensors read."
                    );
                    return ExitCodes.Failed;
                }
                WriteTable(output, rows);
                await Task.Delay(WatchInterval, TimeProvider.System, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCodes.Ok;
        }
    }

    async Task<int> CalibrateAsync(ParseResult parsed, int ppm, TimeSpan settle, CancellationToken cancellationToken)
    {
        var options = load().Sensors;
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        try
        {
            using var guard = SensorLock.TryTake(options);
            if (guard is null)
            {
                error.WriteLine(
                    "sensors: the agent reads the sensors. Stop it, and run this beside it: docker compose stop sensor-agent; "
                        + "docker compose run --rm --no-deps sensor-agent sensors calibrate --ppm …"
                );
                return ExitCodes.Failed;
            }
            output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The SCD4x measures for {settle.TotalMinutes:0} minutes. Keep the air around it steady at {ppm} ppm."
                )
            );
            var result = await Scd4xCalibration.RunAsync(
                options,
                buses.Open,
                ppm,
                settle,
                measurement =>
                    output.WriteLine(
                        string.Create(CultureInfo.InvariantCulture, $"  {measurement.Co2Ppm:0} ppm, {measurement.TemperatureC:0.0} °C")
                    ),
                TimeProvider.System,
                NullLogger.Instance,
                cancellationToken
            );
            if (result.Error is { } failed)
            {
                error.WriteLine($"sensors: {failed}.");
                return ExitCodes.Failed;
            }
            output.WriteLine($"Recalibrated: its values change by {result.Value:+0;-0;0} ppm.");
            return ExitCodes.Ok;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            error.WriteLine("sensors: stopped before the recalibration; nothing was changed.");
            return ExitCodes.Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"sensors: {options.Directory} cannot be used: {e.Message}");
            return ExitCodes.Failed;
        }
    }

    // The port of the agent in the same container; a verb's settings do not name it.
    static RunningService Running() =>
        new(
            int.TryParse(Environment.GetEnvironmentVariable("HTTP_PORT"), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                ? port
                : 8080
        );

    internal static void WriteTable(TextWriter output, IReadOnlyList<SensorRow> rows)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (!ReferenceEquals(output, Console.Out) || Console.IsOutputRedirected)
            console.Profile.Width = 240; // A file or a pipe has no width; do not break its lines.
        var table = new Table().Border(TableBorder.Rounded).AddColumns("sensor", "state", "what", "values", "age", "quality", "problem");
        foreach (var row in rows)
        {
            var age = row.AgeSeconds is { } seconds ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s") : "";
            table.AddRow(
                new Text(row.Id),
                new Text(row.State),
                new Text(row.Description),
                new Text(row.ValuesText),
                new Text(age),
                new Text(row.Quality),
                new Text(row.Problem)
            );
        }
        console.Write(table);
    }

    internal static string ToJson(IReadOnlyList<SensorRow> rows)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var row in rows)
                row.Write(json);
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
