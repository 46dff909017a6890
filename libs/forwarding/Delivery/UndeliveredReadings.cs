using System.Text.Json.Serialization;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Readings in the files of a stopped installation that no destination is known to have. A restored backup delivers them, even if the
/// original did so after the backup was made.
/// </summary>
/// <param name="InOutboxes">Readings in the agent's outboxes that the ledgers do not know as stored.</param>
/// <param name="InJournals">Readings in the s3-forwarder's journals that are not committed. Those in the snowpipe-forwarder's do not count:
/// Snowflake says which of them it has.</param>
/// <param name="InReplay">Files of dead letters that were sent back and are not taken in yet.</param>
public sealed record UndeliveredReadings(long InOutboxes, long InJournals, int InReplay)
{
    /// <summary>Whether there are none.</summary>
    [JsonIgnore]
    public bool IsNone => this is { InOutboxes: 0, InJournals: 0, InReplay: 0 };

    /// <summary>Looks into the data directories. Takes no lock and changes nothing.</summary>
    /// <param name="agent">The agent's; need not exist.</param>
    /// <param name="snowpipe">The snowpipe-forwarder's; need not exist.</param>
    /// <param name="s3">The s3-forwarder's; need not exist.</param>
    /// <exception cref="IOException">A file cannot be read, or a later version wrote it.</exception>
    public static UndeliveredReadings Of(string agent, string snowpipe, string s3)
    {
        string[] forwarders = [snowpipe, s3];
        var ledgers = forwarders.Select(StateOf).OfType<LedgerState>().ToList();
        var outboxes = Journals(Path.Combine(agent, "outbox")).Sum(journal => CountUnknown(journal, ledgers));
        var journals = Journals(SlotDirectory.Root(s3)).Sum(Backlog);
        var replay = forwarders
            .Select(directory => DeadLetters.ReplayDirectory(Path.Combine(directory, "dead-letters")))
            .Where(Directory.Exists)
            .Sum(directory => Directory.EnumerateFiles(directory, "*.ndjson*").Count());
        return new UndeliveredReadings(outboxes, journals, replay);
    }

    static List<string> Journals(string directory) => Directory.Exists(directory) ? JournalInspection.Find(directory) : [];

    static long Backlog(string directory)
    {
        var journal = new JournalInspection(directory);
        foreach (var _ in journal.Read()) { }
        return journal.Backlog;
    }

    static long CountUnknown(string directory, List<LedgerState> ledgers)
    {
        var journal = new JournalInspection(directory);
        if (journal.Epoch is null || JournalFolder.EpochOf(directory) is not { } epoch)
            return 0;
        long unknown = 0;
        foreach (var record in JournalFiles.Read(directory, epoch, journal.Committed))
        {
            if (JournalPayload.TryDecode(record.Payload.ToArray()) is not { } payload)
                continue;
            for (var i = 0; i < payload.Count; i++)
            {
                var reading = payload.Identity(i);
                var isKnown = ledgers.Exists(ledger =>
                    ledger.Readings.TryFind(reading, out var stream) && stream.Stored.Overlaps(reading.Sequence, reading.Sequence)
                );
                unknown += isKnown ? 0 : 1;
            }
        }
        return unknown;
    }

    /// <summary>The whole groups of a directory's ledger; null if there is no ledger.</summary>
    static LedgerState? StateOf(string directory)
    {
        var path = Path.Combine(directory, "ledger");
        if (!File.Exists(path) || new FileInfo(path).Length == 0)
            return null;
        using var file = new LedgerFile(path, new Disk());
        var state = new LedgerState();
        file.Open(generation: 0);
        file.CatchUp(state);
        return state;
    }
}
