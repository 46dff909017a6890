using ThermalStreaming.Journal;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Keeps the position of a replay on disk, in two copies, and writes at most once a second: the outbox shows what was stored after it. Not
/// thread-safe.
/// </summary>
sealed partial class RecordingPositionFile(string path, TimeProvider clock, ILogger logger)
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    long? savedAt;
    RecordingPosition? unsaved;
    bool isTold;

    /// <summary>The position saved last; null if there is no intact one.</summary>
    /// <exception cref="IOException">It cannot be read now.</exception>
    public RecordingPosition? Load()
    {
        var text = TwinFile.Load(path, out var damaged);
        foreach (var file in damaged)
            LogDamaged(file);
        return text is null ? null : RecordingPosition.Parse(text);
    }

    /// <summary>Saves the position now.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void Save(RecordingPosition position)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        TwinFile.Save(path, position.ToString());
        (savedAt, unsaved, isTold) = (clock.GetTimestamp(), null, false);
    }

    /// <summary>Saves the position if the last save is long enough ago. If the disk refuses, it logs that once, and tries again.</summary>
    public void Note(RecordingPosition position)
    {
        unsaved = position;
        if (savedAt is not { } last || clock.GetElapsedTime(last) >= Interval)
            Flush();
    }

    /// <summary>Saves the position noted last.</summary>
    public void Flush()
    {
        if (unsaved is null)
            return;
        try
        {
            Save(unsaved);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            savedAt = clock.GetTimestamp();
            if (!isTold)
                LogRefused(path, e.Message);
            isTold = true;
        }
    }

    [LoggerMessage(
        EventId = 30,
        Level = LogLevel.Warning,
        Message = "{Path} was corrupt; its copy is used if that is valid, else the replay begins again. Check the storage (dmesg, SD card)"
    )]
    partial void LogDamaged(string path);

    [LoggerMessage(
        EventId = 31,
        Level = LogLevel.Warning,
        Message = "{Path} cannot be written: {Reason}. The replay continues; after a restart the outbox shows how far it came. Check "
            + "the data directory"
    )]
    partial void LogRefused(string path, string reason);
}
