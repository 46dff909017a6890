using System.Globalization;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>The device's cell as the file <c>cell</c> in the data directory remembers it. Immutable.</summary>
/// <param name="Home">The cell that may already have readings which are still in the outboxes; null: none yet.</param>
/// <param name="Chosen">The cell that somebody chose by command; null: the settings choose.</param>
/// <param name="Marks">What the cells before <paramref name="Home"/> already have.</param>
sealed record CellState(int? Home, int? Chosen, IReadOnlyList<CellMark> Marks)
{
    const string Version = "1";

    /// <summary>State of an agent that has published nothing yet.</summary>
    public static CellState None { get; } = new(null, null, []);

    /// <param name="dataDirectory">The agent's data directory.</param>
    public static string PathIn(string dataDirectory) => Path.Combine(dataDirectory, "cell");

    /// <summary>Reads the file.</summary>
    /// <returns><see cref="None"/> if there is no file; null if it is damaged or from a newer version.</returns>
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

    /// <summary>Replaces the file. It is on disk when the call returns.</summary>
    /// <exception cref="IOException">The disk refused; the old file stays.</exception>
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
