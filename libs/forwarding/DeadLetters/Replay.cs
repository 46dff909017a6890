using System.Text;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Takes in again, for one slot, the dead letters that a person sent back with <c>dead-letters replay</c>. Intake judges them like new
/// messages. The ledger is asked about readings that were refused when they arrived, so that a reading that has two letters, or was sent
/// again since, is stored once. It is not asked about readings that the destination refused: it knows those as stored.
/// </summary>
/// <remarks>
/// <para>The slot that takes a file of <c>replay/</c> renames it to <c>{file}.{slot}</c>. A note beside it, <c>{file}.{slot}.taken</c>,
/// says how far it came (<see cref="ReplayNote"/>). Nothing else is appended to the journal while letters are being appended. So after a
/// crash the journal's end says how many letters were taken in, and no reading is taken in twice; a letter that still cannot be read may be
/// kept twice.</para>
/// </remarks>
sealed partial class Replay
{
    const string NoteExtension = ".taken";

    /// <summary>Limits of one append, with one fsync: most letters, and the number of readings after which no more letters are
    /// added.</summary>
    const int MostLetters = 200,
        EnoughReadings = 50_000;

    /// <summary>
    /// Bytes of records after which no more letters are added to one append; fewer for a small journal. The last letter may exceed it.
    /// </summary>
    const int MostBytes = 512 * 1024;

    /// <summary>Bytes that a record takes besides its payload and prefix.</summary>
    const int FrameBytes = 16;

    readonly string slot;
    readonly DurableJournal journal;
    readonly DeadLetters deadLetters;
    readonly ReadingStore store;
    readonly Func<DeadLetter, List<DeadLetter>, Arrival?> read;
    readonly Dictionary<string, int> unsettled;
    readonly Health health;
    readonly ILogger logger;
    readonly long enoughBytes;
    readonly string part;
    readonly string directory;
    readonly Persistently untilDiskTakesIt;

    /// <param name="store">Of the slot; claims readings.</param>
    /// <param name="journal">Of the slot.</param>
    /// <param name="services">What all slots share; dead letters that still cannot be read go to its dead letters again.</param>
    /// <param name="read">Returns the part of a letter that can be taken, or null; adds the readings that still cannot be taken to the
    /// list.</param>
    /// <param name="unsettled">From <see cref="Unsettled"/>.</param>
    public Replay(
        ReadingStore store,
        DurableJournal journal,
        SlotServices services,
        Func<DeadLetter, List<DeadLetter>, Arrival?> read,
        Dictionary<string, int> unsettled
    )
    {
        this.store = store;
        slot = store.Slot;
        this.journal = journal;
        this.read = read;
        this.unsettled = unsettled;
        deadLetters = services.DeadLetters;
        health = services.Health;
        logger = services.Logger;
        enoughBytes = Math.Min(MostBytes, services.Options.Journal.MaxBytes / 8);
        part = $"replay {slot}";
        directory = DeadLetters.ReplayDirectory(deadLetters.Directory);
        untilDiskTakesIt = new Persistently(part, health, services.Clock)
        {
            Explain = e => $"{deadLetters.Directory}: {e.Message.TrimEnd('.')}. Free space on the data volume.",
        };
    }

    /// <summary>Files that this slot has begun and not finished.</summary>
    public string[] Begun => Files(directory, $"*.ndjson.{slot}");

    /// <summary>
    /// Finds out how many letters an earlier process had appended when it ended. Call it before anything else is appended or deleted,
    /// because afterwards the journal cannot tell.
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
                .ToDictionary(
                    found => found.Path,
                    found => found.Note.Letters + found.Note.LettersIn(journal.ReadingsFrom(found.Note.Offset))
                );
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>Writes down what <see cref="Unsettled"/> found, and waits while the disk refuses. Call it before anything else is
    /// appended.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop before that.</exception>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        foreach (var (path, letters) in unsettled)
            await untilDiskTakesIt.DoAsync(() => Save(path, new ReplayNote(letters)), cancellationToken);
        unsettled.Clear();
        try
        {
            foreach (
                var note in Files(directory, $"*.ndjson.{slot}{NoteExtension}").Where(note => !File.Exists(note[..^NoteExtension.Length]))
            )
                File.Delete(note);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            // A note without its file does no harm.
        }
    }

    /// <summary>Takes in the files that are there. A file that cannot be used now is reported, and tried again at the next call.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop while the disk refused.</exception>
    public async Task TakeInAsync(CancellationToken cancellationToken)
    {
        string? problem = null;
        try
        {
            // Files that this slot has begun come first.
            var begun = Begun;
            foreach (var path in begun.Concat(DeadLetters.Files(directory)))
            {
                try
                {
                    if (
                        cancellationToken.IsCancellationRequested
                        || journal.IsFull
                        || !await TakeInAsync(path, begun.Contains(path) ? path : $"{path}.{slot}", cancellationToken)
                    )
                        return;
                }
                catch (Exception e) when (DiskError.IsFileProblem(e))
                {
                    problem = $"{path}: {e.Message}";
                }
            }
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            problem = $"{directory}: {e.Message}";
        }
        if (problem is null)
            health.Forget(part);
        else
            health.Unwell(
                part,
                $"{problem.TrimEnd('.')}. Dead letters wait there to be replayed; make it readable and writable for user "
                    + $"{Environment.UserName}, or remove it."
            );
    }

    /// <summary>Takes in one file; false when asked to stop first.</summary>
    async Task<bool> TakeInAsync(string path, string ownPath, CancellationToken cancellationToken)
    {
        try
        {
            // Letters about files hold no reading, but each says how to load its file: they go back unread.
            if (DeadLetterOwner.OfFile(path).Origin == DeadLetterOrigin.Unloaded)
            {
                File.Move(path, Path.Combine(deadLetters.Directory, Path.GetFileName(path)));
                return true;
            }
            // The rename decides which replica has it.
            if (ownPath != path)
            {
                File.Move(path, ownPath);
                // Deletes the note of an earlier file of that name that a person took away.
                File.Delete(ownPath + NoteExtension);
            }
        }
        catch (FileNotFoundException)
        {
            return true;
        }
        if (!DeadLetters.IsAtRest(ownPath))
            return true;
        var taken = Load(ownPath, logger).Letters;
        // A line is blank where its letter was replayed alone.
        using (var lines = File.ReadLines(ownPath).Where(line => !string.IsNullOrWhiteSpace(line)).Skip(taken).GetEnumerator())
        {
            while (ReadGroup(lines) is { Arrivals.Count: > 0 } letters)
            {
                if (cancellationToken.IsCancellationRequested || !await store.Room.WaitAsync(letters.Bytes, cancellationToken))
                    return false;
                await TakeInAsync(letters, ownPath, taken, cancellationToken);
                taken += letters.Arrivals.Count;
                await untilDiskTakesIt.DoAsync(() => Save(ownPath, new ReplayNote(taken)), cancellationToken);
                if (letters.Failure is not null)
                    throw letters.Failure;
            }
        }
        File.Delete(ownPath);
        File.Delete(ownPath + NoteExtension);
        LogReplayed(slot, taken, path);
        return true;
    }

    async Task TakeInAsync(LetterGroup letters, string ownPath, int taken, CancellationToken cancellationToken)
    {
        var owner = DeadLetterOwner.OfFile(ownPath);
        // Files of earlier versions do not name their owner: their letters may hold readings that the ledger knows as stored.
        var asksLedger = owner is { Origin: DeadLetterOrigin.Unread, Device: not DeadLetterOwner.UnknownName };
        try
        {
            IReadOnlyList<Arrival?> arrivals = asksLedger ? await store.ClaimAsync(letters.Arrivals, cancellationToken) : letters.Arrivals;
            var counts = arrivals.Select(arrival => arrival?.Count ?? 0).ToList();
            await AnnounceAsync(ownPath, new ReplayNote(taken, journal.Epoch, journal.NextOffset, counts), cancellationToken);
            foreach (var letter in letters.Refused)
                deadLetters.Add(letter, owner.Origin);
            await untilDiskTakesIt.DoAsync(deadLetters.Flush, cancellationToken);
            var records = arrivals.OfType<Arrival>().Select(arrival => arrival.ToRecord()).ToList();
            if (records.Count > 0)
                await journal.AppendAsync(records, CancellationToken.None);
        }
        finally
        {
            await store.ConfirmAsync(cancellationToken);
        }
    }

    /// <summary>Reads the next letters; none at the end of the file. Letters read before the disk failed count.</summary>
    LetterGroup ReadGroup(IEnumerator<string> lines)
    {
        var letters = new LetterGroup();
        var readings = 0;
        try
        {
            while (letters.Arrivals.Count < MostLetters && letters.Bytes < enoughBytes && readings < EnoughReadings && lines.MoveNext())
            {
                // Keeps lines that are not dead letters, after a person's edit or a torn write; only the operator may delete them.
                if (!DeadLetter.TryParse(lines.Current, out var letter))
                    letter = new DeadLetter("", "", null, 0, Encoding.UTF8.GetBytes(lines.Current));
                var arrival = read(letter, letters.Refused);
                letters.Arrivals.Add(arrival);
                letters.Bytes += letter.Payload.Length + (arrival is null ? 0 : arrival.Header.Length + FrameBytes);
                readings += arrival?.Count ?? 0;
            }
        }
        catch (IOException e) when (letters.Arrivals.Count > 0)
        {
            letters.Failure = e;
        }
        return letters;
    }

    /// <summary>Writes down which letters are about to be appended.</summary>
    async Task AnnounceAsync(string ownPath, ReplayNote note, CancellationToken cancellationToken)
    {
        try
        {
            Save(ownPath, note);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            // The note may be on disk all the same. Then it must not stay, because other records are appended before the next attempt.
            await untilDiskTakesIt.DoAsync(
                () =>
                {
                    if (Load(ownPath, logger).Epoch.Length > 0)
                        Save(ownPath, new ReplayNote(note.Letters));
                },
                cancellationToken
            );
            throw;
        }
    }

    static string[] Files(string directory, string pattern) => Directory.Exists(directory) ? Directory.GetFiles(directory, pattern) : [];

    static ReplayNote Load(string path, ILogger logger)
    {
        var file = path + NoteExtension;
        if (!File.Exists(file))
            return new ReplayNote(0);
        if (ReplayNote.Parse(File.ReadAllBytes(file)) is { } note)
            return note;
        LogDamaged(logger, file);
        return new ReplayNote(0);
    }

    static void Save(string path, ReplayNote note) => DurableFile.Replace(path + NoteExtension, note.ToBytes());

    [LoggerMessage(EventId = 131, Level = LogLevel.Information, Message = "{Slot}: replayed {Letters} dead letters from {File}")]
    partial void LogReplayed(string slot, int letters, string file);

    [LoggerMessage(
        EventId = 135,
        Level = LogLevel.Error,
        Message = "{Path} is corrupt, so it is not known how many letters of that file were replayed. All of them are replayed now, "
            + "some perhaps for the second time. Check the storage (dmesg, SD card)"
    )]
    static partial void LogDamaged(ILogger logger, string path);
}
