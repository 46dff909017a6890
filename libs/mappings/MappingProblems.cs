namespace ThermalStreaming.Mappings;

/// <summary>Collects the problems of a mapping file, with file, line and key. Not thread-safe.</summary>
/// <param name="file">The name of the file.</param>
/// <param name="problems">Receives a line for each problem.</param>
sealed class MappingProblems(string file, ICollection<string> problems)
{
    public string File => file;

    /// <param name="line">From 1.</param>
    /// <param name="key">The keys from the outermost to the wrong one, separated by dots.</param>
    /// <param name="problem">What was found, and what is allowed.</param>
    public void Add(int line, string key, string problem) => problems.Add($"{file}:{line}: {(key.Length > 0 ? $"{key}: " : "")}{problem}");
}
