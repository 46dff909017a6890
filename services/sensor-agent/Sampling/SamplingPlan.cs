using System.Globalization;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// How often readings are taken: as configured, or as set at run time. The file <c>sampling</c> in the data directory keeps run-time
/// settings over restarts. Thread-safe.
/// </summary>
sealed partial class SamplingPlan : IDisposable
{
    /// <summary>Bounds of an interval, as for INTERVAL_SECONDS.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100),
        Longest = TimeSpan.FromDays(1);

    /// <summary>Most readings per batch, as for BATCH_SIZE.</summary>
    public const int MostInBatch = 5_000;

    readonly Lock gate = new();
    readonly AgentOptions options;
    readonly string path;
    Dictionary<ReadingKind, (TimeSpan Interval, int BatchSize)> overrides = [];

    /// <summary>One for each kind: a change of the inverters' interval must not cut a thermal batch short.</summary>
    readonly Dictionary<ReadingKind, CancellationTokenSource> changed = new()
    {
        [ReadingKind.Thermal] = new(),
        [ReadingKind.Inverter] = new(),
    };

    public SamplingPlan(AgentOptions options, ILogger<SamplingPlan> logger)
    {
        this.options = options;
        path = Path.Combine(options.DataDirectory, "sampling");
        try
        {
            if (SmallFile.Open(File.ReadAllBytes(path)) is { } line && Parse(line) is { } kept)
                overrides = kept;
            else
                LogDamaged(logger, path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Nothing was set.
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            LogUnreadable(logger, path, e.Message);
        }
    }

    /// <summary>The current rate of a kind, and a token that is cancelled when its interval or batch size changes.</summary>
    public (SamplingRate Rate, CancellationToken Changed) Current(ReadingKind kind)
    {
        lock (gate)
            return (Rate(kind), changed[kind].Token);
    }

    /// <summary>Sets the rate from the next batch on.</summary>
    /// <param name="kind">Kind of the readings.</param>
    /// <param name="interval">Null: unchanged.</param>
    /// <param name="batchSize">Null: unchanged.</param>
    /// <exception cref="IOException">The disk refused; nothing has changed.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public SamplingRate Set(ReadingKind kind, TimeSpan? interval, int? batchSize) =>
        Change(kind, rate => (interval ?? rate.Interval, batchSize ?? rate.BatchSize));

    /// <summary>Returns to the configured rate.</summary>
    /// <exception cref="IOException">The disk refused; nothing has changed.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public SamplingRate Reset(ReadingKind kind) => Change(kind, _ => null);

    public void Dispose()
    {
        foreach (var source in changed.Values)
            source.Dispose();
    }

    SamplingRate Change(ReadingKind kind, Func<SamplingRate, (TimeSpan, int)?> change)
    {
        CancellationTokenSource? told = null;
        SamplingRate now;
        lock (gate)
        {
            var before = Rate(kind);
            var next = new Dictionary<ReadingKind, (TimeSpan, int)>(overrides);
            if (change(before) is { } set)
                next[kind] = set;
            else
                next.Remove(kind);
            Directory.CreateDirectory(options.DataDirectory);
            DurableFile.Replace(path, SmallFile.Seal(Format(next)));
            overrides = next;
            now = Rate(kind);
            if ((now.Interval, now.BatchSize) != (before.Interval, before.BatchSize))
                (told, changed[kind]) = (changed[kind], new CancellationTokenSource());
        }
        // Outside the lock: the waiting code continues on this thread.
        told?.Cancel();
        return now;
    }

    SamplingRate Rate(ReadingKind kind) =>
        overrides.TryGetValue(kind, out var set) ? new(set.Interval, set.BatchSize, IsOverridden: true)
        : kind == ReadingKind.Thermal ? new(options.Interval, options.BatchSize, IsOverridden: false)
        : new(options.InverterInterval, options.Inverters, IsOverridden: false);

    static string Format(Dictionary<ReadingKind, (TimeSpan Interval, int BatchSize)> overrides) =>
        string.Join(
            ';',
            overrides
                .OrderBy(entry => entry.Key)
                .Select(entry =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{Topics.Name(entry.Key)} {entry.Value.Interval.TotalMilliseconds:0} {entry.Value.BatchSize}"
                    )
                )
                // An empty file could also be a damaged one.
                .Prepend("1")
        );

    static Dictionary<ReadingKind, (TimeSpan, int)>? Parse(string line)
    {
        var found = new Dictionary<ReadingKind, (TimeSpan, int)>();
        foreach (var part in line.Split(';')[1..])
        {
            if (
                part.Split(' ') is not [var name, var milliseconds, var size]
                || !long.TryParse(milliseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || !int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var batchSize)
                || number < Shortest.TotalMilliseconds
                || number > Longest.TotalMilliseconds
            )
                return null;
            var kind = name == Topics.Name(ReadingKind.Thermal) ? ReadingKind.Thermal : ReadingKind.Inverter;
            found[kind] = (TimeSpan.FromMilliseconds(number), batchSize);
        }
        return found;
    }

    [LoggerMessage(
        EventId = 80,
        Level = LogLevel.Warning,
        Message = "{Path} is damaged, so the configuration's interval and batch size apply. Set them again by gRPC"
    )]
    static partial void LogDamaged(ILogger logger, string path);

    [LoggerMessage(
        EventId = 81,
        Level = LogLevel.Error,
        Message = "{Path} cannot be read ({Reason}), so the configuration's interval and batch size apply until the next start"
    )]
    static partial void LogUnreadable(ILogger logger, string path, string reason);
}
