using Amazon.S3;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The parts of the service: settings, checks, commands, sinks.</summary>
static class S3Service
{
    const string Name = "s3-forwarder";

    public static ServiceDefinition<S3ServiceOptions> Definition { get; } =
        new()
        {
            Name = Name,
            Description = "Uploads inverter readings from MQTT to a bucket that classic Snowpipe loads, each once.",
            Control = ForwarderServices.Control,
            Load = Load,
            Configure = (services, options) =>
                services
                    .AddS3(options.S3)
                    .AddLoads(options)
                    .AddForwarder(options.Forwarder, (provider, _) => provider.GetRequiredService<Func<S3Sink>>()()),
            Checks = (options, provider) =>
                [
                    .. S3Checks.Steps(options.S3, provider.GetRequiredService<IAmazonS3>(), provider.GetRequiredService<TimeProvider>()),
                    .. options.Loads is { } loads
                        ? LoadChecks.Steps(loads, provider.GetRequiredService<LoadClient>(), provider.GetRequiredService<RunningService>())
                        : [],
                    .. ForwarderChecks.Steps(
                        options.Forwarder,
                        provider.GetRequiredService<RunningService>(),
                        provider.GetRequiredService<TimeProvider>()
                    ),
                ],
            Commands = options =>
                [
                    .. ForwarderCommands.Create(CostRoad.Files),
                    RulesCommand.Create(ReadingKind.Inverter),
                    LoadCommand.Create(() => options().Loads),
                ],
        };

    static S3ServiceOptions Load(Settings settings)
    {
        var forwarder = ForwarderOptions.Load(settings, Name, ReadingKind.Inverter, CostRoad.Files);
        var s3 = S3OptionsLoader.Load(settings);
        return new(forwarder, s3, LoadOptionsLoader.Load(settings, s3.Bucket, s3.Prefix));
    }

    extension(IServiceCollection services)
    {
        /// <summary>Registers the client and the figures that the sinks of all slots share, and the sinks' factory.</summary>
        internal IServiceCollection AddS3(S3Options options) =>
            services
                .AddSingleton(provider => S3Client.Create(options, requests: provider.GetRequiredService<RequestMetrics>()))
                .AddSingleton<S3Statistics>()
                .AddSingleton<Func<S3Sink>>(provider =>
                    () =>
                        new S3Sink(
                            options,
                            provider.GetRequiredService<IAmazonS3>(),
                            provider.GetRequiredService<S3Statistics>(),
                            provider.GetService<LoadWatch>(),
                            provider.GetRequiredService<TimeProvider>(),
                            provider.GetRequiredService<ILogger<S3Sink>>()
                        )
                );

        /// <summary>Registers the monitoring of loads by Snowpipe; nothing if it is off.</summary>
        internal IServiceCollection AddLoads(S3ServiceOptions options) =>
            options.Loads is not { } loads
                ? services
                : services
                    .AddSingleton(loads)
                    .AddSingleton(new LoadListFile(options.Forwarder.DataDirectory))
                    .AddSingleton<LoadClient>()
                    .AddSingleton<LoadFigures>()
                    .AddSingleton<LoadWatch>()
                    .AddHostedService<LoadMonitor>();
    }
}
