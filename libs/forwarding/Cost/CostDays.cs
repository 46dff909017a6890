using System.Globalization;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The file <c>cost</c> of a data directory: when counting began, and a sum for each of the last days (UTC). One sealed line
/// (<see cref="SmallFile"/>), which the replicas of a service share. Immutable.
/// </summary>
/// <param name="Since">When counting began.</param>
/// <param name="Days">Sums by day, oldest first; at most <see cref="MostDays"/>.</param>
public sealed record CostDays(DateTimeOffset Since, IReadOnlyList<(DateOnly Day, CostFigures Figures)> Days)
{
    /// <summary>A month; older days are dropped.</summary>
    public const int MostDays = 31;

    const string FileName = "cost";

    /// <summary>Reads the file.</summary>
    /// <returns>Null if it does not exist yet or is damaged: counting then begins again.</returns>
    /// <exception cref="IOException">It cannot be read now.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static CostDays? Load(string directory)
    {
        try
        {
            return SmallFile.Open(File.ReadAllBytes(Path.Combine(directory, FileName))) is { } line ? Parse(line) : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or FormatException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>Adds to the file, and keeps what other replicas have added since. Durable when it returns.</summary>
    /// <returns>What the file now says.</returns>
    /// <exception cref="IOException">The disk refused, or another replica holds the file; nothing was added.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static CostDays Add(string directory, DateTimeOffset since, IEnumerable<(DateOnly Day, CostFigures Figures)> more)
    {
        var path = Path.Combine(directory, FileName);
        using var held = FileLock.TryTake(path + ".lock") ?? throw new IOException($"{path} is being written by another replica");
        var before = Load(directory);
        var sums = (before?.Days ?? [])
            .Concat(more)
            .GroupBy(entry => entry.Day)
            .OrderBy(day => day.Key)
            .Select(day => (day.Key, day.Aggregate(default(CostFigures), (sum, entry) => sum + entry.Figures)))
            .TakeLast(MostDays)
            .ToList();
        var now = new CostDays(before is null || since < before.Since ? since : before.Since, sums);
        DurableFile.Replace(path, SmallFile.Seal(now.Format()));
        return now;
    }

    string Format() =>
        string.Join(
            ';',
            Days.Select(entry =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{entry.Day:yyyyMMdd} {entry.Figures.Rows} {entry.Figures.Requests} {entry.Figures.Objects} "
                            + $"{entry.Figures.Messages} {entry.Figures.SentBytes} {entry.Figures.BilledBytes}"
                    )
                )
                .Prepend(Since.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture))
        );

    static CostDays Parse(string line)
    {
        var parts = line.Split(';');
        return new CostDays(
            DateTimeOffset.FromUnixTimeSeconds(long.Parse(parts[0], CultureInfo.InvariantCulture)),
            [
                .. parts[1..]
                    .Select(part =>
                    {
                        var words = part.Split(' ');
                        var day = DateOnly.ParseExact(words[0], "yyyyMMdd", CultureInfo.InvariantCulture);
                        var numbers = words[1..]
                            .Select(word => long.Parse(word, NumberStyles.None, CultureInfo.InvariantCulture))
                            .ToArray();
                        return numbers is [var rows, var requests, var objects, var messages, var sent, var billed]
                            ? (day, new CostFigures(rows, requests, objects, messages, sent, billed))
                            : throw new FormatException($"'{part}' is not the cost of a day");
                    }),
            ]
        );
    }
}
