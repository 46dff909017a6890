using System.Globalization;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>Reads the settings of replays.</summary>
static class RecordingSettings
{
    const double Fastest = 1_000_000;

    /// <summary>Documents the settings, and reads those of the replayed kinds.</summary>
    public static IReadOnlyList<RecordingOptions> Load(Settings settings, AgentOptions options)
    {
        var files = new[]
        {
            File(ReadingKind.Thermal, "REPLAY_FILE", "SOURCE", options.Source == SourceKind.Replay && !options.Simulate),
            File(ReadingKind.Inverter, "INVERTER_REPLAY_FILE", "INVERTER_SOURCE", options.InverterSource == InverterSource.Replay),
        };
        var speed = ReadSpeed(settings);
        var isLooping = settings.Flag("REPLAY_LOOP", false, "Begins a recorded file again at its end.");
        if (isLooping && speed == 0)
            settings.Problem("REPLAY_LOOP is true and REPLAY_SPEED is max, which would fill the outbox without end; change one of them.");
        var time = settings.Choice(
            "REPLAY_TIME",
            RecordingTime.Now,
            "Time of replayed readings. Now: of the replay, as if a sensor had delivered them then; Recorded: as in the file."
        );
        return
        [
            .. files
                .Where(file => file.Path is not null)
                .Select(file => new RecordingOptions
                {
                    Kind = file.Kind,
                    File = file.Path!,
                    Speed = speed,
                    IsLooping = isLooping,
                    Time = time,
                    Linger = options.Interval,
                    PositionPath = Path.Combine(options.DataDirectory, "replay", Topics.Name(file.Kind)),
                }),
        ];

        (ReadingKind Kind, string? Path) File(ReadingKind kind, string key, string source, bool isUsed)
        {
            var path = settings.OptionalText(
                key,
                $"With {source}=replay: the recorded file, rows of kind {Topics.Name(kind)} as `journal export`, objects in the bucket and "
                    + "RAW_DATA have them, one JSON object a line."
            );
            if (!isUsed)
                return (kind, null);
            if (path is null)
                settings.Problem($"{source} is replay and {key} is not set; name the recorded file there.");
            else if (RecordedFile.Problem(path) is { } problem)
                settings.Problem($"{key} is '{path}', {problem}.");
            return (kind, path);
        }
    }

    static double ReadSpeed(Settings settings)
    {
        var text = settings.Text(
            "REPLAY_SPEED",
            "1",
            "1: as it was recorded; 60: a minute in a second; 0 or max: as fast as the outbox takes it."
        );
        if (text.Equals("max", StringComparison.OrdinalIgnoreCase))
            return 0;
        if (
            double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var speed)
            && speed is 0 or >= 0.01 and <= Fastest
        )
            return speed;
        settings.Problem(
            string.Create(CultureInfo.InvariantCulture, $"REPLAY_SPEED is '{text}'; it must be a number, 0.01 to {Fastest}, or max.")
        );
        return 1;
    }
}
