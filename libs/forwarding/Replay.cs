using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Takes in again, for one slot, what a person sent back with <c>dead-letters replay</c>. The ledger is not asked: it knows refused readings as stored.
/// </summary>
/// <remarks>
/// A file of <c>replay/</c> is renamed to <c>{file}.{slot}</c> by the slot that takes it. What of it has been taken in stands in a note beside it,
/// <c>{file}.{slot}.taken</c>, one sealed line: the number of letters, and, from before some more are appended until after, the journal's epoch and end and how
/// many readings each of them holds. Nothing else is appended in between. So after a crash the journal says how far it came, and no reading is taken in
/// twice; a letter that still cannot be read may be kept twice.
/// </remarks>
/// <param name="slot">Name of the slot.</param>
/// <param name="journal">Its journal.</param>
/// <param name="deadLetters">Where letters go that still cannot be read.</param>
/// <param name="read">Makes a record of what a letter holds, null when it holds nothing, and adds what still cannot be taken to the list.</param>
/// <param name="unsettled">From <see cref="Unsettled"/>.</param>
/// <param name="enoughBytes">Bytes of records after which no more are appended at once; one more letter may go over it.</param>
/// <param name="waitForSpace">Waits until so many bytes fit into the journal; false when asked to stop first.</param>
/// <param name="health">Hears of files that cannot be used.</param>
/// <param name="clock">Time.</param>
/// <param name="logger">For what was taken in.</param>
sealed partial class Replay(string slot, DurableJournal journal, DeadLetters deadLetters, Func<DeadLetter, List<DeadLetter>, JournalRecord?> read, Dictionary<string, int> unsettled, long enoughBytes,
    Func<long, CancellationToken, Task<bool>> waitForSpace, Health health, TimeProvider clock, ILogger logger)
{
    const string NoteExtension = ".taken";

    /// <summary>Appended at once, with one fsync: at most so many letters, and no more once so many readings have gathered.</summary>
    const int MostLetters = 200, EnoughReadings = 50_000;

    /// <summary>What a record takes besides its payload and prefix.</summary>
    const int FrameBytes = 16;

    readonly string part = $"replay {slot}";
    readonly string directory = DeadLetters.ReplayDirectory(deadLetters.Directory);

    /// <summary>Files that this slot has begun with and not finished.</summary>
    public string[] Begun => Files(directory, $"*.ndjson.{slot}");

    /// <summary>
    /// Finds out what an earlier process had appended when it ended. Before anything else is appended or deleted: afterwards the journal could not tell.
    /// </summary>
    /// <returns>What <see cref="SettleAsync"/> has to write down.</returns>
    /// <exception cref="IOException">A note cannot be read.</exception>
    public static Dictionary<string, int> Unsettled(string slot, DurableJournal journal, DeadLetters deadLetters, ILogger logger)
    {
        var directory = DeadLetters.ReplayDirectory(deadLetters.Directory);
        try
        {
            return Files(directory, $"*.ndjson.{slot}{NoteExtension}")
                .Select(note => (Path: note[..^NoteExtension.Length], Note: Load(note[..^NoteExtension.Length], logger)))
                .Where(found => File.Exists(found.Path) && found.Note.Epoch == journal.Epoch)
                .ToDictionary(found => found.Path, found => found.Note.Letters + found.Note.LettersIn(journal.ReadingsFrom(found.Note.Offset)));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>Writes it down, however long the disk refuses. Before anything else is appended.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop before that.</exception>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        foreach (var (path, letters) in unsettled)
            await InsistAsync(() => Save(path, new Note(letters)), cancellationToken);
        unsettled.Clear();
        try
        {
            foreach (var note in Files(directory, $"*.ndjson.{slot}{NoteExtension}").Where(note => !File.Exists(note[..^NoteExtension.Length])))
                File.Delete(note);
        }
        catch (Exception e) when (IsFileProblem(e))
        {
            // A note without its file harms nobody.
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
            {
                File.Move(path, mine);
                // Of an earlier file of that name, which a person took away.
                File.Delete(mine + NoteExtension);
            }
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
            while (ReadSome(lines) is { Counts.Count: > 0 } some)
            {
                if (cancellationToken.IsCancellationRequested || !await waitForSpace(some.Bytes, cancellationToken))
                    return false;
                await AnnounceAsync(mine, new Note(taken, journal.Epoch, journal.NextOffset, some.Counts), cancellationToken);
                foreach (var letter in some.Refused)
                    deadLetters.Add(letter, DeadLetterOwner.OfFile(path).Origin);
                await InsistAsync(deadLetters.Flush, cancellationToken);
                if (some.Records.Count > 0)
                    await journal.AppendAsync(some.Records, CancellationToken.None);
                taken += some.Counts.Count;
                await InsistAsync(() => Save(mine, new Note(taken)), cancellationToken);
                if (some.Failure is not null)
                    throw some.Failure;
            }
        }
        File.Delete(mine);
        File.Delete(mine + NoteExtension);
        LogReplayed(slot, taken, path);
        return true;
    }

    /// <summary>The next letters, none at the end of the file. What can be read before the disk fails counts.</summary>
    Some ReadSome(IEnumerator<string> lines)
    {
        var some = new Some();
        var readings = 0;
        try
        {
            while (some.Counts.Count < MostLetters && some.Bytes < enoughBytes && readings < EnoughReadings && lines.MoveNext())
            {
                // What is no letter, after a person's hand or a torn write, is nobody's to throw away either.
                if (!DeadLetter.TryParse(lines.Current, out var letter))
                    letter = new DeadLetter("", "", null, 0, Encoding.UTF8.GetBytes(lines.Current));
                var count = 0;
                if (read(letter, some.Refused) is { } record)
                {
                    some.Records.Add(record);
                    count = record.Count;
                    some.Bytes += record.Prefix.Length + FrameBytes;
                }
                some.Counts.Add(count);
                some.Bytes += letter.Payload.Length;
                readings += count;
            }
        }
        catch (IOException e) when (some.Counts.Count > 0)
        {
            some.Failure = e;
        }
        return some;
    }

    /// <summary>Writes down what is about to be appended.</summary>
    async Task AnnounceAsync(string mine, Note note, CancellationToken cancellationToken)
    {
        try
        {
            Save(mine, note);
        }
        catch (Exception e) when (IsFileProblem(e))
        {
            // It may be in the file all the same, and then it must not stay: other things are appended before the next attempt.
            await InsistAsync(() =>
            {
                if (Load(mine, logger).Epoch.Length > 0)
                    Save(mine, new Note(note.Letters));
            }, cancellationToken);
            throw;
        }
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

    /// <summary>Letters that are taken in together.</summary>
    sealed class Some
    {
        /// <summary>How many readings each holds.</summary>
        public List<int> Counts { get; } = [];

        /// <summary>Of those that hold any.</summary>
        public List<JournalRecord> Records { get; } = [];

        /// <summary>What of them still cannot be taken.</summary>
        public List<DeadLetter> Refused { get; } = [];

        public long Bytes { get; set; }

        /// <summary>Why there are no more although the file does not end.</summary>
        public IOException? Failure { get; set; }
    }

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

        /// <summary>How many of the letters are done when so many of their readings are in the journal: those that hold none were kept before.</summary>
        public int LettersIn(long readings)
        {
            var done = 0;
            for (var i = 0; i < Counts!.Count && readings >= Counts[i]; i++)
            {
                readings -= Counts[i];
                if (Counts[i] > 0)
                    done = i + 1;
            }
            return done;
        }

        static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

        static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
    }
}
