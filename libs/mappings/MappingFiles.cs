namespace ThermalStreaming.Mappings;

/// <summary>Reads mapping files and collects all their problems.</summary>
public static class MappingFiles
{
    /// <summary>Maximum size of a file; a larger one is not a mapping file.</summary>
    const int MaxBytes = 1 << 20;

    /// <summary>The mappings that an installation uses.</summary>
    /// <param name="names">Names of ready-made mappings, separated by commas or spaces.</param>
    /// <param name="file">The user's own file; null or empty for none. An empty file counts as none.</param>
    /// <param name="problems">Receives a line for each problem.</param>
    /// <returns>None if there are problems.</returns>
    public static MappingSet InUse(string names, string? file, ICollection<string> problems)
    {
        var before = problems.Count;
        var mappings = new List<Mapping>();
        if (!string.IsNullOrEmpty(file))
            mappings.AddRange(Read(file, problems));
        foreach (var name in names.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries).Distinct())
        {
            if (ReadyMade.Text(name) is { } text)
                mappings.AddRange(MappingParser.Parse(text, new MappingProblems(name + ".yaml", problems)));
            else
                problems.Add($"MAPPINGS names '{name}', which is not ready-made; there are {string.Join(", ", ReadyMade.Names)}.");
        }
        return problems.Count == before ? MappingSet.Create(mappings, problems) : MappingSet.None;
    }

    /// <summary>One ready-made mapping or file.</summary>
    /// <param name="nameOrFile">A ready-made name, or a path.</param>
    /// <param name="problems">Receives a line for each problem.</param>
    public static MappingSet Of(string nameOrFile, ICollection<string> problems) =>
        ReadyMade.Text(nameOrFile) is not null ? InUse(nameOrFile, null, problems) : InUse("", nameOrFile, problems);

    static List<Mapping> Read(string file, ICollection<string> problems)
    {
        try
        {
            // Not by the file's length: /dev/null, and what Docker mounts, may have none.
            using var stream = File.OpenRead(file);
            var bytes = new byte[MaxBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > MaxBytes)
            {
                problems.Add($"{file} has more than {MaxBytes} bytes, the maximum for a mapping file.");
                return [];
            }
            using var reader = new StreamReader(new MemoryStream(bytes, 0, length));
            return MappingParser.Parse(reader.ReadToEnd(), new MappingProblems(Path.GetFileName(file), problems));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add(
                Directory.Exists(file)
                    ? $"{file} is a directory; Docker makes one where a file to be mounted is missing. Remove it, and put the file there."
                    : $"The mapping file {file} cannot be read: {e.Message.TrimEnd('.')}. Correct the path, or make it readable: chmod o+r."
            );
            return [];
        }
    }
}
