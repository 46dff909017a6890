using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Takes in again, for one slot, what a person sent back with <c>dead-letters replay</c>. The ledger is not asked: it knows refused readings as stored.
/// </summary>
/// <remarks>
/// A file of <c>replay/</c> is renamed to <c>{file}.{slot}</c> by the slot that takes it. What of it has been taken in stands in a note beside it,
/// <c>{file}.{slot}.taken</c>, one sealed line: the number of letters, and, from before some more are appended until after, the journal's epoch and end and how
/// many readings each of them holds. Nothing else is appended in between. So after a crash the journal says how far it came, and no letter is taken in twice.
/// </remarks>
/// <param name="slot">Name of the slot.</param>
/// <param name="journal">Its journal.</param>
/// <param name="deadLetters">Where letters go that still cannot be read.</param>
/// <param name="read">Makes a record of a letter, or says why not (<see cref="PayloadException"/>).</param>
/// <param name="waitForSpace">Waits until so many bytes fit into the journal; false when asked to stop first.</param>
/// <param name="health">Hears of files that cannot be used.</param>
/// <param name="clock">Time.</param>
/// <param name="logger">For what was taken in.</param>
sealed partial class Replay(string slot, DurableJournal journal, DeadLetters deadLetters, Func<DeadLetter, JournalRecord> read, Func<long, CancellationToken, Task<bool>> waitForSpace,
    Health health, TimeProvider clock, ILogger logger)
{
    const string NoteExtension = ".taken";

    /// <summary>Appended at once, with one fsync: at most so many letters, and no more once so many bytes or readings have gathered.</summary>
    const int MostLetters = 200, EnoughBytes = 512 * 1024, EnoughReadings = 50_000;

    readonly string part = $"replay {slot}";
    readonly string directory = DeadLetters.ReplayDirectory(deadLetters.Directory);

    /// <summary>Files that this slot has begun with and not finished.</summary>
    public string[] Begun => Files(directory, $"*.ndjson.{slot}");

    /// <summary>Finds out what an earlier process had appended when it ended. To be called before anything else is appended.</summary>
    /// <exception cref="IOException">A note cannot be read or written.</exception>
    public static void Settle(string slot, DurableJournal journal, DeadLetters deadLetters, ILogger logger)
    {
        var directory = DeadLetters.ReplayDirectory(deadLetters.Directory);
        try
        {
            foreach (var path in Files(directory, $"*.ndjson.{slot}{NoteExtension}").Select(note => note[..^NoteExtension.Length]))
            {
                if (!File.Exists(path))
                    File.Delete(path + NoteExtension);
                else if (Load(path, logger) is var note && note.Epoch == journal.Epoch)
                    Save(path, new Note(note.Letters + note.LettersIn(journal.ReadingsFrom(note.Offset))));
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>Takes in what there is. What cannot be used now is reported and tried again when this is called the next time.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop while the disk refused.</exception>
    public async Task TakeInAsync(CancellationToken cancellationToken)
    {
        string? problem = null;
        try
        {
            // What this slot had begun with before comes first.
            var begun = Begun;
            foreach (var path in begun.Concat(DeadLetters.Files(directory)))
            {
                try
                {
                    if (cancellationToken.IsCancellationRequested || journal.IsFull || !await TakeInAsync(path, begun.Contains(path) ? path : $"{path}.{slot}", cancellationToken))
                        return;
                }
                catch (Exception e) when (IsFileProblem(e))
                {
                    problem = $"{path}: {e.Message}";
                }
            }
        }
        catch (Exception e) when (IsFileProblem(e))
        {
            problem = $"{directory}: {e.Message}";
        }
        if (problem is null)
            health.Forget(part);
        else
            health.Unwell(part, $"{problem.TrimEnd('.')}. Dead letters wait there to be taken in; make it readable and writable for user {Environment.UserName}, or take it away.");
    }

    /// <summary>Takes in one file; false when asked to stop first.</summary>
    async Task<bool> TakeInAsync(string path, string mine, CancellationToken cancellationToken)
    {
        try
        {
            // The rename decides which replica has it.
            if (mine != path)
                File.Move(path, mine);
        }
        catch (FileNotFoundException)
        {
            return true;
        }
        if (!DeadLetters.IsAtRest(mine))
            return true;
        var taken = Load(mine, logger).Letters;
        using (var lines = File.ReadLines(mine).Where(line => line.Length > 0).Skip(taken).GetEnumerator())
        {
            while (lines.MoveNext())
            {
                var (counts, records) = ReadSome(lines);
                if (cancellationToken.IsCancellationRequested || !await waitForSpace(records.Sum(record => (long)record.Payload.Length + record.Prefix.Length + 64), cancellationToken))
                    return false;
                await InsistAsync(deadLetters.Flush, cancellationToken);
                if (records.Count > 0)
                {
                    await InsistAsync(() => Save(mine, new Note(taken, journal.Epoch, journal.NextOffset, counts)), cancellationToken);
                    await journal.AppendAsync(records, CancellationToken.None);
                }
                taken += counts.Count;
                await InsistAsync(() => Save(mine, new Note(taken)), cancellationToken);
            }
        }
        File.Delete(mine);
        File.Delete(mine + NoteExtension);
        LogReplayed(slot, taken, path);
        return true;
    }

    /// <summary>The next letters, how many readings each holds, and the records of those that hold any.</summary>
    (List<int> Counts, List<JournalRecord> Records) ReadSome(IEnumerator<string> lines)
    {
        var (counts, records, bytes, readings) = (new List<int>(), new List<JournalRecord>(), 0L, 0);
        do
        {
            // What is no letter, after a person's hand or a torn write, is nobody's to throw away either.
            if (!DeadLetter.TryParse(lines.Current, out var letter))
                letter = new DeadLetter(default, "", "", null, 0, Encoding.UTF8.GetBytes(lines.Current));
            try
            {
                var record = read(letter);
                records.Add(record);
                counts.Add(record.Count);
                readings += record.Count;
            }
            catch (PayloadException e)
            {
                deadLetters.AddMessage(e.Message, letter.Topic, letter.ContentType, letter.Payload.Span);
                counts.Add(0);
            }
            bytes += letter.Payload.Length;
        }
        while (counts.Count < MostLetters && bytes < EnoughBytes && readings < EnoughReadings && lines.MoveNext());
        return (counts, records);
    }

    /// <summary>Repeats what the disk refuses: to go on without it would be to take letters in twice, or to lose them.</summary>
    async Task InsistAsync(Action write, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                write();
                return;
            }
            catch (Exception e) when (IsFileProblem(e))
            {
                health.Unwell(part, $"{deadLetters.Directory}: {e.Message.TrimEnd('.')}. Free space on the data volume.");
                await Task.Delay(TimeSpan.FromSeconds(1), clock, cancellationToken);
            }
        }
    }

    static string[] Files(string directory, string pattern) => Directory.Exists(directory) ? Directory.GetFiles(directory, pattern) : [];

    static Note Load(string path, ILogger logger)
    {
        var file = path + NoteExtension;
        if (!File.Exists(file))
            return new Note(0);
        if (Note.Parse(File.ReadAllBytes(file)) is { } note)
            return note;
        LogDamaged(logger, file);
        return new Note(0);
    }

    static void Save(string path, Note note) => DurableFile.Replace(path + NoteExtension, note.ToBytes());

    static bool IsFileProblem(Exception e) => e is IOException or UnauthorizedAccessException;

    [LoggerMessage(EventId = 131, Level = LogLevel.Information, Message = "{Slot}: took in {Letters} dead letters from {File} again")]
    partial void LogReplayed(string slot, int letters, string file);

    [LoggerMessage(EventId = 135, Level = LogLevel.Error, Message = "{Path} is damaged: how many letters of that file were taken in is not known, so all are, some maybe for the second time. Check the storage (dmesg, SD card)")]
    static partial void LogDamaged(ILogger logger, string path);

    /// <summary>How far a file has been taken in.</summary>
    /// <param name="Letters">So many letters are done.</param>
    /// <param name="Epoch">While more are being appended, the journal's; otherwise empty.</param>
    /// <param name="Offset">Its end before.</param>
    /// <param name="Counts">How many readings each of those holds.</param>
    sealed record Note(int Letters, string Epoch = "", long Offset = 0, IReadOnlyList<int>? Counts = null)
    {
        public byte[] ToBytes() => SmallFile.Seal(Epoch.Length == 0 ? Invariant($"{Letters}") : Invariant($"{Letters} {Epoch} {Offset} {string.Join(' ', Counts!)}"));

        /// <summary>Null for what is none.</summary>
        public static Note? Parse(ReadOnlySpan<byte> bytes)
        {
            try
            {
                return SmallFile.Open(bytes)?.Split(' ') switch
                {
                    [var letters] => new(Number(letters)),
                    [var letters, var epoch, var offset, .. var counts] => new(Number(letters), epoch, long.Parse(offset, CultureInfo.InvariantCulture), [.. counts.Select(Number)]),
                    _ => null,
                };
            }
            catch (FormatException)
            {
                return null;
            }
        }

        /// <summary>How many of the letters are in the journal when so many of their readings are.</summary>
        public int LettersIn(long readings)
        {
            var letters = 0;
            foreach (var count in Counts!)
            {
                readings -= count;
                if (readings < 0)
                    break;
                letters++;
            }
            return letters;
        }

        static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

        static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
    }
}
