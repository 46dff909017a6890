using ThermalStreaming.Journal;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// The newest fixes, stored durably in DATA_DIRECTORY/clock: a batch that is published again, even after a restart of the agent, must get
/// the same times as before. Not thread-safe.
/// </summary>
sealed partial class ClockFixes
{
    /// <summary>How many a small file holds. Each start of the machine makes one or a few.</summary>
    const int Most = 40;

    readonly string path;
    readonly ILogger logger;
    readonly List<ClockFix> all = [];
    bool isSaved = true;
    bool isTold;

    public ClockFixes(string directory, ILogger logger)
    {
        path = Path.Combine(directory, "clock");
        this.logger = logger;
        try
        {
            var line = TwinFile.Load(path, out var damaged);
            if (damaged.Count > 0)
                LogDamaged(string.Join(", ", damaged));
            all.AddRange((line ?? "").Split(' ').Select(ClockFix.Parse).OfType<ClockFix>());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogRefused(path, e.Message);
            isTold = true;
        }
    }

    /// <summary>The last offset in this start of the machine that an NTP server confirmed; null if there is none.</summary>
    public TimeSpan? Confirmed(string bootId)
    {
        var last = all.FindLastIndex(fix => fix.BootId == bootId && !fix.IsFlagged);
        return last < 0 ? null : all[last].Offset;
    }

    /// <summary>The fix that applies to a reading; null if there is none.</summary>
    public ClockFix? Find(string bootId, TimeSpan takenAt)
    {
        var first = all.FindIndex(fix => fix.BootId == bootId && fix.Until >= takenAt);
        return first < 0 ? null : all[first];
    }

    /// <summary>Adds the newest fix. It applies at once; if the disk refuses it, it is written later.</summary>
    public void Add(ClockFix fix)
    {
        all.Add(fix);
        if (all.Count > Most)
            all.RemoveAt(0);
        isSaved = false;
        Save();
    }

    /// <summary>Writes again what the disk has refused.</summary>
    public void Save()
    {
        if (isSaved)
            return;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            TwinFile.Save(path, string.Join(' ', all));
            isSaved = true;
            isTold = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!isTold)
                LogRefused(path, e.Message);
            isTold = true;
        }
    }

    [LoggerMessage(
        EventId = 47,
        Level = LogLevel.Warning,
        Message = "{Path} was corrupt; its copy is used if that is valid. Check the storage (dmesg, SD card)"
    )]
    partial void LogDamaged(string path);

    [LoggerMessage(
        EventId = 48,
        Level = LogLevel.Warning,
        Message = "{Path} cannot be used: {Reason}. Readings that were taken before the clock was synchronised may get other times when they "
            + "are published again after a restart. Check the data directory"
    )]
    partial void LogRefused(string path, string reason);
}
