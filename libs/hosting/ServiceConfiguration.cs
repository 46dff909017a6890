using Microsoft.Extensions.Configuration;

namespace ThermalStreaming.Hosting;

/// <summary>Where settings come from: a service's own sources, overridden by the environment, overridden by the command line.</summary>
static class ServiceConfiguration
{
    /// <param name="definition">Names the service's own sources.</param>
    /// <param name="given">Values from the command line.</param>
    public static IConfiguration Load<TOptions>(ServiceDefinition<TOptions> definition, IEnumerable<KeyValuePair<string, string?>> given)
        where TOptions : class
    {
        var configuration = new ConfigurationBuilder();
        definition.Sources?.Invoke(configuration);
        // Compose passes VAR= for an unset variable: an empty one must not hide what a file says.
        var variables = new ConfigurationBuilder().AddEnvironmentVariables().Build().AsEnumerable();
        configuration.AddInMemoryCollection(variables.Where(variable => !string.IsNullOrWhiteSpace(variable.Value)));
        configuration.AddInMemoryCollection(given);
        return configuration.Build();
    }

    public static int HttpPort(Settings settings) =>
        settings.WholeNumber("HTTP_PORT", 8080, 1, 65535, "Port of /healthz, /readyz, /metrics and /status.");

    public static ControlSettings Control<TOptions>(ServiceDefinition<TOptions> definition, Settings settings, int httpPort)
        where TOptions : class => definition.Control is null ? ControlSettings.None : ControlSettings.Load(settings, httpPort);
}
