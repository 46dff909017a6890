namespace ThermalStreaming.S3Forwarder;

/// <summary>Reads the load history from a given time until now, in the ranges and pages that Snowflake accepts.</summary>
static class LoadScan
{
    /// <summary>How far Snowflake's history goes back.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromDays(14);

    /// <summary>An entry may appear in the history a little after its time.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromMinutes(2);

    /// <summary>Snowflake prefers narrow ranges.</summary>
    static readonly TimeSpan longestRange = TimeSpan.FromHours(6);

    /// <summary>Pause between two calls of one scan.</summary>
    static readonly TimeSpan spacing = TimeSpan.FromSeconds(10);

    /// <summary>Reads the history.</summary>
    /// <param name="client">Makes the calls.</param>
    /// <param name="from">Start of the range.</param>
    /// <param name="isWanted">The files that matter; the others are dropped at once.</param>
    /// <param name="clock">Makes timers.</param>
    /// <param name="stop">Ends the scan.</param>
    /// <returns>The newest entry of each wanted file, and the time until which the history was read.</returns>
    /// <exception cref="SnowflakeException">A call failed.</exception>
    public static async Task<(IReadOnlyCollection<LoadedFile> Files, DateTimeOffset Until)> RunAsync(
        LoadClient client,
        DateTimeOffset from,
        Func<string, bool> isWanted,
        TimeProvider clock,
        CancellationToken stop
    )
    {
        // The first answer gives Snowflake's time; with a wrong clock the ranges would be wrong too.
        if (client.Clock.Offset is null)
        {
            var own = client.Clock.UtcNow;
            await client.ScanAsync(own - TimeSpan.FromMinutes(1), own, stop);
        }
        var found = new Dictionary<string, LoadedFile>(StringComparer.Ordinal);
        var until = client.Clock.UtcNow;
        var at = from > until - Memory ? from : until - Memory;
        while (at < until)
        {
            var end = at + longestRange < until ? at + longestRange : until;
            // Snowflake's clock is known only to half a second, so the last range is left open.
            var page = await client.ScanAsync(at, end < until ? end : null, stop);
            foreach (var file in page.Files.Where(file => isWanted(file.Address)))
                found[file.Address] = file;
            // A page that makes no progress must not be read for ever.
            at =
                page.IsComplete ? end
                : page.RangeEnd is { } rangeEnd && rangeEnd > at ? rangeEnd
                : throw new SnowflakeException(
                    new SnowflakeError(
                        "ask for the load history",
                        System.Net.HttpStatusCode.OK,
                        "",
                        $"the answer is incomplete and its rangeEndTime does not lead beyond {at:u}"
                    )
                );
            if (at < until)
                await Task.Delay(spacing, clock, stop);
        }
        return (found.Values, until);
    }
}
