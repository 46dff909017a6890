using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>The parts of the service: settings, checks, commands, sinks.</summary>
static class SnowpipeService
{
    const string Name = "snowpipe-forwarder";

    public static ServiceDefinition<SnowpipeServiceOptions> Definition { get; } =
        new()
        {
            Name = Name,
            Description = "Delivers thermal readings from MQTT to a Snowflake table by Snowpipe Streaming, each once.",
            Load = Load,
            Control = ForwarderServices.Control,
            Sources = SnowflakeConfigFile.AddTo,
            Configure = (services, options) =>
                services
                    .AddSnowpipe(options.Snowpipe)
                    .AddForwarder(options.Forwarder, (provider, _) => provider.GetRequiredService<Func<SnowpipeSink>>()()),
            Checks = (options, provider) =>
                [
                    .. new SnowpipeChecks(
                        options.Snowpipe,
                        provider.GetRequiredService<SnowpipeClient>(),
                        provider.GetRequiredService<TimeProvider>()
                    ).Steps(),
                    .. ForwarderChecks.Steps(
                        options.Forwarder,
                        provider.GetRequiredService<RunningService>(),
                        provider.GetRequiredService<TimeProvider>()
                    ),
                ],
            CheckArguments = [new("--probe", "CHECK_PROBE", "Also send one row and wait for its commit.", IsSwitch: true)],
            Commands = _ =>
                [KeygenCommand.Create(), .. ForwarderCommands.Create(CostRoad.Streaming), RulesCommand.Create(ReadingKind.Thermal)],
        };

    static SnowpipeServiceOptions Load(Settings settings)
    {
        var forwarder = ForwarderOptions.Load(settings, Name, ReadingKind.Thermal, CostRoad.Streaming);
        var snowpipe = SnowpipeOptions.Load(settings);
        forwarder.Limits = TableLimits.Load(settings, snowpipe.DefaultPipeTable);
        return new(forwarder, snowpipe);
    }

    extension(IServiceCollection services)
    {
        /// <summary>
        /// Registers the client and the statistics that the sinks of all slots share, the sinks' factory, and the rules of intake.
        /// </summary>
        internal IServiceCollection AddSnowpipe(SnowpipeOptions options)
        {
            // Rows that are only flagged are checked when they are written.
            if (options.Validation != InvalidRows.Flag && options.Rules.Thermal.Count > 0)
                services.AddSingleton(provider => new IntakeRules(
                    options.Rules,
                    options.Validation == InvalidRows.Quarantine,
                    provider.GetRequiredService<SnowpipeStatistics>().Broken
                )
                {
                    Dropped = provider.GetRequiredService<SnowpipeStatistics>().Dropped,
                });
            return services
                .AddSingleton(options)
                .AddSingleton<SnowflakeMetrics>()
                .AddSingleton<SnowpipeClient>()
                .AddSingleton<SnowpipeStatistics>()
                .AddSingleton<IHostedService>(provider => provider.GetRequiredService<SnowpipeStatistics>())
                .AddSingleton<Func<SnowpipeSink>>(provider =>
                    () =>
                        new SnowpipeSink(
                            provider.GetRequiredService<SnowpipeClient>(),
                            options,
                            provider.GetRequiredService<SnowpipeStatistics>(),
                            provider.GetRequiredService<TimeProvider>(),
                            provider.GetRequiredService<ILogger<SnowpipeSink>>()
                        )
                );
        }
    }
}
