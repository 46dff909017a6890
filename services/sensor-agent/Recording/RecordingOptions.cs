using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>How a recorded file is replayed.</summary>
sealed record RecordingOptions
{
    public required ReadingKind Kind { get; init; }

    /// <summary>The file: rows of this kind, one JSON object per line.</summary>
    public required string File { get; init; }

    /// <summary>How many times faster than recorded; 0: as fast as the outbox takes it. Default 1.</summary>
    public double Speed { get; init; } = 1;

    /// <summary>Whether the replay starts again at the end of the file.</summary>
    public bool IsLooping { get; init; }

    /// <summary>Which time the readings get. Default: the time of the replay.</summary>
    public RecordingTime Time { get; init; }

    /// <summary>Readings that follow each other within this time are stored as one batch. Default 5 s.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>File that keeps the position of the replay.</summary>
    public required string PositionPath { get; init; }
}
