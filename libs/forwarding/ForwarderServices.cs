using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>Registers the parts that both forwarders share.</summary>
public static class ForwarderServices
{
    extension(IServiceCollection services)
    {
        /// <summary>Takes in the readings that <paramref name="options"/> subscribe to and delivers them to one sink per slot.</summary>
        public IServiceCollection AddForwarder(ForwarderOptions options, Func<IServiceProvider, SlotContext, IBatchSink> createSink)
            => services
                .AddSingleton(options)
                .AddSingleton<ForwarderMetrics>()
                .AddSingleton<SenderNotes>(provider => new(
                    provider.GetRequiredService<System.Diagnostics.Metrics.Meter>(), provider.GetRequiredService<ILogger<SenderNotes>>()))
                .AddSingleton(provider => new DeadLetters(
                    options.DeadLettersDirectory, options.DeadLettersMaxBytes, provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ILogger<DeadLetters>>()))
                .AddSingleton(provider => new SlotServices
                {
                    Options = options,
                    CreateSink = slot => createSink(provider, slot),
                    DeadLetters = provider.GetRequiredService<DeadLetters>(),
                    Senders = provider.GetRequiredService<SenderNotes>(),
                    Metrics = provider.GetRequiredService<ForwarderMetrics>(),
                    Health = provider.GetRequiredService<Health>(),
                    Clock = provider.GetRequiredService<TimeProvider>(),
                    Logger = provider.GetRequiredService<ILogger<Forwarder>>(),
                })
                .AddHostedService<Forwarder>();
    }
}
