namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Corrects upload dates made by a machine whose clock has no battery, before it knew the time: it begins with the time of its last
/// shutdown, and delivers its journal at once. Such an object would seem older than the history and be given up, and a person would load it
/// a second time. Not thread-safe.
/// </summary>
/// <param name="client">Knows Snowflake's time after its first call.</param>
/// <param name="clock">Measures the time between two looks.</param>
sealed class UploadDates(LoadClient client, TimeProvider clock)
{
    /// <summary>
    /// Time of the first look at the list, or of the last one with Snowflake's time known; and the objects on the list then.
    /// </summary>
    long? lookedAt;
    HashSet<string> seen = new(StringComparer.Ordinal);

    /// <summary>
    /// Objects that appeared since the last look were uploaded since then, whatever their date says. Objects of the first look keep their
    /// date: an earlier process may have left them weeks ago.
    /// </summary>
    /// <returns>Whether a date was changed.</returns>
    public bool Correct(LoadList known)
    {
        var isChanged = false;
        var now = client.Clock.UtcNow;
        if (lookedAt is { } last)
        {
            var since = now - clock.GetElapsedTime(last);
            foreach (var file in known.Files.Where(file => !seen.Contains(file.Address) && now - file.LastTold > LoadScan.Memory).ToList())
            {
                known.Put(file with { PlannedAt = since, UploadedAt = since });
                isChanged = true;
            }
        }
        // Without Snowflake's time, the next look checks them again, with a better clock.
        if (lookedAt is null || client.Clock.Offset is not null)
            (lookedAt, seen) = (clock.GetTimestamp(), known.Files.Select(file => file.Address).ToHashSet(StringComparer.Ordinal));
        return isChanged;
    }
}
