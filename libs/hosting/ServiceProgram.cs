namespace ThermalStreaming.Hosting;

/// <summary>Runs a service, or one of its verbs when there are arguments.</summary>
public static class ServiceProgram
{
    /// <returns>The exit code, one of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync<TOptions>(string[] args, ServiceDefinition<TOptions> definition)
        where TOptions : class
    {
        try
        {
            return args switch
            {
                // A service runs for months, nearly always without arguments: the command line's parser need not stay in memory for it.
                [] => await ServiceHost.ServeAsync(definition, ServiceConfiguration.Load(definition, []), CancellationToken.None),
                // Every container runs this twice a minute: the parser, and the list of settings for --help, would be a third of its work.
                ["healthcheck"] => await HealthAsync(live: false),
                ["healthcheck", StatusClient.Live] => await HealthAsync(live: true),
                _ => await ServiceCommandLine.RunAsync(args, definition),
            };
        }
        catch (ConfigurationException e)
        {
            return PrintProblems(e.Problems);
        }

        Task<int> HealthAsync(bool live) =>
            StatusClient.HealthAsync(ServiceConfiguration.Load(definition, []), live, CancellationToken.None);
    }

    internal static int PrintProblems(IEnumerable<string> problems)
    {
        foreach (var problem in problems)
            Console.Error.WriteLine($"config: {problem}");
        return ExitCodes.BadConfiguration;
    }
}
