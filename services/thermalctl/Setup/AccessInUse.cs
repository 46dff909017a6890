using ThermalStreaming.Hosting;
using ThermalStreaming.Mappings;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The settings that the rules of the broker's users depend on, as the last <c>setup</c> found and kept them beside the rules. Every later
/// change follows these: today's .env and mapping file may be half edited, and a container that runs has those of its own start. Not
/// thread-safe: <see cref="SetupLock"/> is held.
/// </summary>
/// <param name="places">Where they are kept, and today's settings.</param>
sealed class AccessInUse(SetupPlaces places)
{
    const string HomeAssistant = "HOME_ASSISTANT";
    const string Names = "MAPPINGS";

    string FilePath => Path.Combine(places.Auth, "access");

    string MappingsPath => Path.Combine(places.Auth, "mappings.yaml");

    /// <summary>Keeps today's settings.</summary>
    /// <exception cref="ConfigurationException">The mappings cannot be used: those that were kept stay.</exception>
    public AccessSettings Keep()
    {
        var access = places.Access;
        SafeFile.WriteIfChanged(MappingsPath, places.MappingsText);
        SafeFile.WriteIfChanged(FilePath, Today);
        return access;
    }

    /// <summary>Those that were kept; today's, if an earlier version kept none.</summary>
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

    /// <summary>Whether today's settings are others than those in use, or cannot be read.</summary>
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
