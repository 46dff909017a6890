namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Corrects the dates of uploads that a machine without a battery for its clock has made before it knew the time: it begins with the
/// time of its last shutdown, and delivers at once what its journal holds. Such an object would seem to be older than the history, be given up, and
/// a person would load it a second time. Not thread-safe.
/// </summary>
/// <param name="client">Knows Snowflake's time, once it was asked.</param>
/// <param name="clock">Measures the time between two looks.</param>
sealed class UploadDates(LoadClient client, TimeProvider clock)
{
    /// <summary>When the list was looked at first, or last while Snowflake's time was known; and the objects on it then.</summary>
    long? lookedAt;
    HashSet<string> seen = new(StringComparer.Ordinal);

    /// <summary>
    /// Objects that came since the last look were uploaded since then, whatever their date says. Those of the first look keep theirs: an
    /// earlier process may have left them weeks ago.
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
        // Without Snowflake's time the next look judges them once more, by a better clock.
        if (lookedAt is null || client.Clock.Offset is not null)
            (lookedAt, seen) = (clock.GetTimestamp(), known.Files.Select(file => file.Address).ToHashSet(StringComparer.Ordinal));
        return isChanged;
    }
}
