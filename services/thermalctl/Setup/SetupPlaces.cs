using System.Globalization;
using ThermalStreaming.Hosting;
using ThermalStreaming.Mappings;

namespace ThermalStreaming.Thermalctl;

/// <summary>Locations of the files of <c>setup</c>, and the settings that it follows.</summary>
/// <param name="Auth">The volume that the broker reads: users, rules, certificate.</param>
/// <param name="Authority">
/// The volume of the key that signs the certificate, and of the installation's identity; mounted nowhere else.
/// </param>
/// <param name="Credentials">A directory per service, each a volume that is mounted only in that service.</param>
/// <param name="Control">A directory per program that needs the control token, each a volume.</param>
/// <param name="HostName">The machine's name.</param>
/// <param name="Setting">A setting by its name; empty if it is not set.</param>
sealed record SetupPlaces(string Auth, string Authority, string Credentials, string Control, string HostName, Func<string, string> Setting)
{
    const int LongestDevice = 100;

    public static SetupPlaces OfContainer()
    {
        return new SetupPlaces(
            Of("MOSQUITTO_AUTH", "/mosquitto/auth"),
            Of("MOSQUITTO_AUTHORITY", "/mosquitto/authority"),
            Of("MQTT_CREDENTIALS", "/credentials"),
            Of("CONTROL_TOKENS", "/control"),
            File.ReadAllText("/proc/sys/kernel/hostname").Trim(),
            name => Of(name, "")
        );

        static string Of(string name, string usual) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : usual;
    }

    public string Users => Path.Combine(Auth, "users");

    /// <summary>The mappings in use.</summary>
    /// <exception cref="ConfigurationException">They cannot be used.</exception>
    public MappingSet Mappings
    {
        get
        {
            var problems = new List<string>();
            var mappings = MappingFiles.InUse(Setting("MAPPINGS"), Setting("MAPPINGS_FILE"), problems);
            return problems.Count == 0 ? mappings : throw new ConfigurationException(problems);
        }
    }

    /// <summary>The settings behind the rules of the broker's users.</summary>
    /// <exception cref="ConfigurationException">The mappings cannot be used.</exception>
    public AccessSettings Access => new(Mappings, HomeAssistant);

    public bool HomeAssistant => Setting("HOME_ASSISTANT").ToUpperInvariant() is "TRUE" or "1" or "YES" or "ON";

    /// <summary>The text of the mapping file; empty if there is none.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public string MappingsText => Setting("MAPPINGS_FILE") is { Length: > 0 } file ? File.ReadAllText(file) : "";

    /// <summary>The agent's name for this machine, derived as the agent does it.</summary>
    public string DeviceId =>
        Setting("DEVICE_ID") is { Length: > 0 } set
            ? set
            : new string([
                .. HostName.Take(LongestDevice).Select(c => c is '+' or '#' or '/' or '$' or ']' || char.IsWhiteSpace(c) ? '-' : c),
            ]);

    /// <summary>A number of seconds or days; <paramref name="usual"/> if it is not set.</summary>
    public int Number(string name, int usual) => int.TryParse(Setting(name), CultureInfo.InvariantCulture, out var number) ? number : usual;
}
