namespace ThermalStreaming.Hosting;

/// <summary>
/// DATA_DIRECTORY for verbs that look at a service's files. They must work even if the configuration is wrong, so they read nothing else.
/// </summary>
public static class DataDirectory
{
    /// <summary>The directory where nothing else is set.</summary>
    public const string Default = "/data";

    /// <summary>The directory that the environment names. Blank means not set, as for every setting.</summary>
    public static string FromEnvironment() =>
        Environment.GetEnvironmentVariable("DATA_DIRECTORY") is { } set && !string.IsNullOrWhiteSpace(set) ? set.Trim() : Default;
}
