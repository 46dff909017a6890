using System.Globalization;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>What the file <c>cell</c> of the data directory remembers of the device's cell. Immutable.</summary>
/// <param name="Home">The cell that may have got readings which are in the outboxes; null: none yet.</param>
/// <param name="Chosen">The cell that somebody chose by command; null: the settings choose.</param>
/// <param name="Marks">What the cells before <paramref name="Home"/> have got.</param>
sealed record CellState(int? Home, int? Chosen, IReadOnlyList<CellMark> Marks)
{
    const string Version = "1";

    /// <summary>Of an agent that has published nothing yet.</summary>
    public static CellState None { get; } = new(null, null, []);

    /// <param name="dataDirectory">The agent's.</param>
    public static string PathIn(string dataDirectory) => Path.Combine(dataDirectory, "cell");

    /// <summary>Reads the file.</summary>
    /// <returns><see cref="None"/> where there is no file; null where it is damaged or of a newer version.</returns>
    /// <exception cref="IOException">The disk refused.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static CellState? Read(string dataDirectory)
    {
        try
        {
            return SmallFile.Open(File.ReadAllBytes(PathIn(dataDirectory))) is { } line ? Parse(line) : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return None;
        }
    }

    /// <summary>Replaces the file; it is on disk when this returns.</summary>
    /// <exception cref="IOException">The disk refused, and the old file stays.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public void Write(string dataDirectory)
    {
        Directory.CreateDirectory(dataDirectory);
        DurableFile.Replace(PathIn(dataDirectory), SmallFile.Seal(Format()));
    }

    string Format() =>
        string.Join(
            ';',
            [
                Version,
                .. Home is { } home ? [string.Create(CultureInfo.InvariantCulture, $"home {home}")] : Array.Empty<string>(),
                .. Chosen is { } chosen ? [string.Create(CultureInfo.InvariantCulture, $"chosen {chosen}")] : Array.Empty<string>(),
                .. Marks.Select(mark =>
                    string.Create(CultureInfo.InvariantCulture, $"left {Topics.Name(mark.Kind)} {mark.Epoch} {mark.Offset}")
                ),
            ]
        );

    static CellState? Parse(string line)
    {
        var parts = line.Split(';');
        if (parts[0] != Version)
            return null;
        var state = None;
        foreach (var part in parts[1..])
        {
            var found = part.Split(' ') switch
            {
                ["home", var cell] when Number(cell) is { } number => state with { Home = (int)number },
                ["chosen", var cell] when Number(cell) is { } number => state with { Chosen = (int)number },
                ["left", var kind, var epoch, var offset] when KindOf(kind) is { } known && Number(offset) is { } number => state with
                {
                    Marks = [.. state.Marks, new CellMark(known, epoch, number)],
                },
                _ => null,
            };
            if (found is null)
                return null;
            state = found;
        }
        return state;
    }

    static long? Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    static ReadingKind? KindOf(string name) =>
        name == Topics.Name(ReadingKind.Thermal) ? ReadingKind.Thermal
        : name == Topics.Name(ReadingKind.Inverter) ? ReadingKind.Inverter
        : null;
}
