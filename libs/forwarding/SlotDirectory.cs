using System.Globalization;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The directory of a slot, held by its lock: <c>slots/slot-N/</c> with <c>lock</c>, <c>journal/</c> and what the sink keeps. Whoever holds the lock is the
/// slot. Its MQTT client id carries the identity of the data directory, so that two installations on one broker do not take each other's sessions.
/// </summary>
sealed class SlotDirectory : IDisposable
{
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

    public string JournalPath => System.IO.Path.Combine(Path, "journal");

    public string ClientId { get; }

    /// <summary>Names of the slots there are, by number.</summary>
    public static IReadOnlyList<string> Names(string dataDirectory)
        => Directory.Exists(Root(dataDirectory))
            ? [.. Directory.EnumerateDirectories(Root(dataDirectory), "slot-*").Select(path => System.IO.Path.GetFileName(path)!).OrderBy(Number)]
            : [];

    public static string Root(string dataDirectory) => System.IO.Path.Combine(dataDirectory, "slots");

    public static string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"slot-{number}");

    /// <summary>Takes the slot if nobody has it, making it if it is new.</summary>
    public static SlotDirectory? TryTake(string dataDirectory, string name, string clientIdPrefix)
    {
        var path = System.IO.Path.Combine(Root(dataDirectory), name);
        Directory.CreateDirectory(path);
        return FileLock.TryTake(System.IO.Path.Combine(path, "lock")) is { } taken ? new SlotDirectory(path, clientIdPrefix, taken) : null;
    }

    /// <summary>Deletes the slot: everything in it is committed. Its lock is held until the end, so nobody can have begun to use it.</summary>
    public void Retire()
    {
        foreach (var entry in new DirectoryInfo(Path).EnumerateFileSystemInfos().Where(entry => entry.Name != "lock"))
        {
            if (entry is DirectoryInfo directory)
                directory.Delete(recursive: true);
            else
                entry.Delete();
        }
        Directory.Delete(Path, recursive: true);
    }

    public void Dispose() => held.Dispose();

    static int Number(string name) => int.TryParse(name.AsSpan("slot-".Length), CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;
}
