using Amazon.S3;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The options of the service: of what all forwarders do, and of its own sink.</summary>
sealed record S3ServiceOptions(ForwarderOptions Forwarder, S3Options S3)
{
    public static S3ServiceOptions Load(Settings settings) => new(ForwarderOptions.Load(settings, S3Services.Name, ReadingKind.Inverter), S3Options.Load(settings));
}

/// <summary>What the service is made of.</summary>
static class S3Services
{
    public const string Name = "s3-forwarder";

    /// <summary>The client, the figures and what makes a sink for each slot.</summary>
    public static IServiceCollection AddS3(this IServiceCollection services, S3Options options) => services
        .AddSingleton(_ => S3Client.Create(options))
        .AddSingleton<S3Statistics>()
        .AddSingleton<Func<IBatchSink>>(provider => () => new S3Sink(
            options,
            provider.GetRequiredService<IAmazonS3>(),
            provider.GetRequiredService<S3Statistics>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<S3Sink>>()));
}
