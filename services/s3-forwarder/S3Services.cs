using Amazon.S3;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder;

static class S3Services
{
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
