namespace ThermalStreaming.Deployment.Tests;

/// <summary>The files of the project.</summary>
static class Repository
{
    static readonly string root = Find();

    public static string File(string path) => Path.Combine(root, path);

    static string Find()
    {
        for (var at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            if (System.IO.File.Exists(Path.Combine(at, "ThermalStreaming.slnx")))
                return at;
        }
        throw new DirectoryNotFoundException($"ThermalStreaming.slnx is in no directory above {AppContext.BaseDirectory}");
    }
}
