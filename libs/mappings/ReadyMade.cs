namespace ThermalStreaming.Mappings;

/// <summary>The mappings that come with the program, files in the format of everybody's own.</summary>
public static class ReadyMade
{
    const string Extension = ".yaml";

    /// <summary>Their names, in alphabetical order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. typeof(ReadyMade)
            .Assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(Extension, StringComparison.Ordinal))
            .Select(name => name[..^Extension.Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The text of one; null for a name that is none.</summary>
    public static string? Text(string name)
    {
        if (!Names.Contains(name))
            return null;
        using var reader = new StreamReader(typeof(ReadyMade).Assembly.GetManifestResourceStream(name + Extension)!);
        return reader.ReadToEnd();
    }
}
