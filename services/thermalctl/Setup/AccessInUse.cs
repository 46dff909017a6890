using ThermalStreaming.Hosting;
using ThermalStreaming.Mappings;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The settings behind the rules of the broker's users, as the last <c>setup</c> found them and stored them beside the rules. Every later
/// change uses these: today's .env and mapping file may be half edited, and a running container has the settings of its own start. Not
/// thread-safe: the caller holds <see cref="SetupLock"/>.
/// </summary>
/// <param name="places">Their location, and today's settings.</param>
sealed class AccessInUse(SetupPlaces places)
{
    const string HomeAssistant = "HOME_ASSISTANT";
    const string Names = "MAPPINGS";

    string FilePath => Path.Combine(places.Auth, "access");

    string MappingsPath => Path.Combine(places.Auth, "mappings.yaml");

    /// <summary>Stores today's settings.</summary>
    /// <exception cref="ConfigurationException">The mappings cannot be used; the stored settings stay.</exception>
    public AccessSettings Keep()
    {
        var access = places.Access;
        SafeFile.WriteIfChanged(MappingsPath, places.MappingsText);
        SafeFile.WriteIfChanged(FilePath, Today);
        return access;
    }

    /// <summary>The stored settings; today's, if an earlier version stored none.</summary>
    /// <exception cref="ConfigurationException">The mappings cannot be used.</exception>
    public AccessSettings Read()
    {
        var kept = SafeFile.ReadOrEmpty(FilePath);
        if (kept.Length == 0)
            return places.Access;
        var problems = new List<string>();
        var mappings = MappingFiles.InUse(Value(kept, Names), MappingsPath, problems);
        return problems.Count == 0
            ? new AccessSettings(mappings, Value(kept, HomeAssistant) == "true")
            : throw new ConfigurationException(problems);
    }

    /// <summary>Whether today's settings differ from those in use, or cannot be read.</summary>
    public bool IsOutdated
    {
        get
        {
            try
            {
                return SafeFile.ReadOrEmpty(FilePath) is { Length: > 0 } kept
                    && (kept != Today || SafeFile.ReadOrEmpty(MappingsPath) != places.MappingsText);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return true;
            }
        }
    }

    string Today => $"{Names}={places.Setting(Names)}\n{HomeAssistant}={(places.HomeAssistant ? "true" : "false")}\n";

    static string Value(string kept, string name) =>
        kept.Split('\n').FirstOrDefault(line => line.StartsWith($"{name}=", StringComparison.Ordinal))?[(name.Length + 1)..] ?? "";
}
