using System.Globalization;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The directory of a slot, <c>slots/slot-N/</c> with <c>journal/</c> and the sink's files, and its lock <c>slots/slot-N.lock</c> beside
/// it. The process that holds the lock owns the slot. The lock file stays when the slot is retired, because another process may be about to
/// lock it, and because it shows which sessions have existed (<see cref="RetiredSessions"/>). The MQTT client id contains the identity of
/// the installation, so that two installations on one broker do not take each other's sessions.
/// </summary>
sealed class SlotDirectory : IDisposable
{
    const string RetiredPrefix = "retired-",
        LockExtension = ".lock",
        JournalName = "journal";

    readonly FileLock held;

    SlotDirectory(string path, string clientIdPrefix, FileLock held)
    {
        this.held = held;
        Path = path;
        Name = System.IO.Path.GetFileName(path);
        ClientId = $"{clientIdPrefix}-{Name}";
    }

    public string Name { get; }

    public string Path { get; }

    public string JournalPath => System.IO.Path.Combine(Path, JournalName);

    public string ClientId { get; }

    /// <summary>Names of the existing slots, by number.</summary>
    public static IReadOnlyList<string> Names(string dataDirectory)
    {
        try
        {
            return
            [
                .. Directory
                    .EnumerateDirectories(Root(dataDirectory), "slot-*")
                    .Select(path => System.IO.Path.GetFileName(path)!)
                    .OrderBy(Number),
            ];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    /// <summary>Names of the slots that were retired, by number: their locks are still there.</summary>
    public static IReadOnlyList<string> RetiredNames(string dataDirectory) =>
        [
            .. Directory
                .EnumerateFiles(Root(dataDirectory), "slot-*" + LockExtension)
                .Select(path => System.IO.Path.GetFileNameWithoutExtension(path))
                .Except(Names(dataDirectory))
                .OrderBy(Number),
        ];

    public static string Root(string dataDirectory) => System.IO.Path.Combine(dataDirectory, "slots");

    public static string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"slot-{number}");

    public static string JournalPathOf(string dataDirectory, string name) => System.IO.Path.Combine(Root(dataDirectory), name, JournalName);

    /// <summary>
    /// Locks the slot against owners until the result is disposed; null when it has an owner. Creates nothing but the lock file.
    /// </summary>
    public static IDisposable? TryHold(string dataDirectory, string name) =>
        FileLock.TryTake(System.IO.Path.Combine(Root(dataDirectory), name + LockExtension));

    /// <summary>Takes the slot if it has no owner, and creates it if it is new; null when it has an owner.</summary>
    public static SlotDirectory? TryTake(string dataDirectory, string name, string clientIdPrefix)
    {
        var path = System.IO.Path.Combine(Root(dataDirectory), name);
        if (FileLock.TryTake(path + LockExtension) is not { } taken)
            return null;
        try
        {
            Directory.CreateDirectory(path);
            return new SlotDirectory(path, clientIdPrefix, taken);
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>Takes a retired slot while the broker is asked for the slot's session; null if the slot has an owner, or is no longer
    /// retired.</summary>
    public static SlotDirectory? TryTakeRetired(string dataDirectory, string name, string clientIdPrefix)
    {
        var path = System.IO.Path.Combine(Root(dataDirectory), name);
        if (FileLock.TryTake(path + LockExtension) is not { } taken)
            return null;
        try
        {
            _ = File.GetAttributes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new SlotDirectory(path, clientIdPrefix, taken);
        }
        catch
        {
            taken.Dispose();
            throw;
        }
        taken.Dispose();
        return null;
    }

    /// <summary>Whether the broker was asked for sessions that this data directory, when it was new, did not know of.</summary>
    public static bool KnowsSessions(string dataDirectory) => File.Exists(SessionsKnownPath(dataDirectory));

    public static void NoteSessionsKnown(string dataDirectory) => File.WriteAllBytes(SessionsKnownPath(dataDirectory), []);

    static string SessionsKnownPath(string dataDirectory) => System.IO.Path.Combine(Root(dataDirectory), "sessions-known");

    /// <summary>Turns a retired slot back into a slot without an owner.</summary>
    public void BringBack() => Directory.CreateDirectory(Path);

    /// <summary>Deletes the slot: everything in it is committed.</summary>
    public void Retire()
    {
        // Renamed first, so that the next owner sees all of it or nothing: a journal without its cursor, or without the sink's files, would
        // be delivered again.
        var retired = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path)!, RetiredPrefix + System.IO.Path.GetRandomFileName());
        Directory.Move(Path, retired);
        DurableFile.FlushDirectory(System.IO.Path.GetDirectoryName(Path)!);
        Delete(retired);
    }

    /// <summary>Deletes the rest of slots whose deletion was interrupted.</summary>
    public static void FinishRetiring(string dataDirectory)
    {
        foreach (var retired in Directory.EnumerateDirectories(Root(dataDirectory), RetiredPrefix + "*"))
            Delete(retired);
    }

    static void Delete(string retired)
    {
        try
        {
            Directory.Delete(retired, recursive: true);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            // Another replica that starts now may be deleting it too; or the disk refuses, and a later start tries again.
        }
    }

    public void Dispose() => held.Dispose();

    static int Number(string name) =>
        int.TryParse(name.AsSpan("slot-".Length), CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;
}
