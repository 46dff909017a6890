namespace ThermalStreaming.Mappings;

/// <summary>The mappings that come with the program, in the same format as users' own files.</summary>
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

    /// <summary>The text of a ready-made mapping; null for an unknown name.</summary>
    public static string? Text(string name)
    {
        if (!Names.Contains(name))
            return null;
        using var reader = new StreamReader(typeof(ReadyMade).Assembly.GetManifestResourceStream(name + Extension)!);
        return reader.ReadToEnd();
    }
}
