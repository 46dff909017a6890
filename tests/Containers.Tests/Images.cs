namespace ThermalStreaming.Containers.Tests;

/// <summary>
/// Which images stand for the published ones: those that the environment names, as <c>./test</c> sets them; else those that
/// <c>offline/base</c> made; else the published ones.
/// </summary>
static class Images
{
    const string BuiltHere = "thermal-streaming/offline-";

    static readonly Dictionary<string, string> made = ReadMade();

    public static string LocalStack => Of("LOCALSTACK_IMAGE", "localstack/localstack:4.14.0");

    public static string Mosquitto => Of("MOSQUITTO_IMAGE", "eclipse-mosquitto:2.0.22");

    public static string DotnetSdk => Of("DOTNET_SDK_IMAGE", "mcr.microsoft.com/dotnet/sdk:10.0-noble-aot");

    public static string DotnetRuntime => Of("DOTNET_RUNTIME_IMAGE", "mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled");

    /// <summary>The images come from this machine, because no registry answers from here.</summary>
    public static bool AreBuiltHere => LocalStack.StartsWith(BuiltHere, StringComparison.Ordinal);

    /// <summary>The directory of the project.</summary>
    public static string Root { get; } = FindRoot();

    static string Of(string name, string published) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } named ? named : made.GetValueOrDefault(name, published);

    static Dictionary<string, string> ReadMade()
    {
        var file = Path.Combine(FindRoot(), "offline", "images", "images.env");
        return File.Exists(file)
            ? File.ReadLines(file)
                .Where(line => !line.StartsWith('#'))
                .Select(line => line.Split('=', 2))
                .ToDictionary(pair => pair[0], pair => pair[1])
            : [];
    }

    static string FindRoot()
    {
        var found = new DirectoryInfo(AppContext.BaseDirectory);
        while (found is not null && !File.Exists(Path.Combine(found.FullName, "ThermalStreaming.slnx")))
            found = found.Parent;
        return found?.FullName
            ?? throw new InvalidOperationException($"No directory above {AppContext.BaseDirectory} holds ThermalStreaming.slnx.");
    }
}
