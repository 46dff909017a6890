using Amazon.S3;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>What the service is made of.</summary>
static class S3Service
{
    const string Name = "s3-forwarder";

    public static ServiceDefinition<S3ServiceOptions> Definition { get; } = new()
    {
        Name = Name,
        Description = "Uploads inverter readings from MQTT to a bucket that classic Snowpipe loads, each once.",
        Load = settings => new(ForwarderOptions.Load(settings, Name, ReadingKind.Inverter), S3OptionsLoader.Load(settings)),
        Configure = (services, options) => services
            .AddS3(options.S3)
            .AddForwarder(options.Forwarder, (provider, _) => provider.GetRequiredService<Func<S3Sink>>()()),
        Checks = (options, provider) =>
        [
            .. S3Checks.Steps(options.S3, provider.GetRequiredService<IAmazonS3>(), provider.GetRequiredService<TimeProvider>()),
            .. ForwarderChecks.Steps(options.Forwarder, provider.GetRequiredService<RunningService>(), provider.GetRequiredService<TimeProvider>()),
        ],
        Commands = _ => ForwarderCommands.Create(),
    };

    extension(IServiceCollection services)
    {
        /// <summary>Registers the client and the figures that the sinks of all slots share, and the factory of the sinks.</summary>
        internal IServiceCollection AddS3(S3Options options) => services
            .AddSingleton(_ => S3Client.Create(options))
            .AddSingleton<S3Statistics>()
            .AddSingleton<Func<S3Sink>>(provider => () => new S3Sink(
                options, provider.GetRequiredService<IAmazonS3>(), provider.GetRequiredService<S3Statistics>(), provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<S3Sink>>()));
    }
}
