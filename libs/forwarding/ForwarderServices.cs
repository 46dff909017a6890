using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>Registers the parts that both forwarders share.</summary>
public static class ForwarderServices
{
    /// <summary>How a forwarder is controlled.</summary>
    public static ControlDefinition Control => ForwarderControl.Definition;

    extension(IServiceCollection services)
    {
        /// <summary>
        /// Takes in the readings that <paramref name="options"/> subscribe to and delivers them to one sink per slot. Registered
        /// <see cref="IntakeRules"/> decide which of them are stored.
        /// </summary>
        public IServiceCollection AddForwarder(ForwarderOptions options, Func<IServiceProvider, SlotContext, IBatchSink> createSink) =>
            services
                .AddSingleton(options)
                .AddSingleton<ForwarderMetrics>()
                .AddSingleton<SenderNotes>(provider =>
                    new(
                        provider.GetRequiredService<System.Diagnostics.Metrics.Meter>(),
                        provider.GetRequiredService<ILogger<SenderNotes>>()
                    )
                )
                .AddSingleton(provider => new DeadLetters(
                    options.DeadLettersDirectory,
                    options.DeadLettersMaxBytes,
                    provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ILogger<DeadLetters>>()
                ))
                .AddSingleton(provider => new SlotServices
                {
                    Options = options,
                    Rules = provider.GetService<IntakeRules>(),
                    CreateSink = slot => createSink(provider, slot),
                    DeadLetters = provider.GetRequiredService<DeadLetters>(),
                    Senders = provider.GetRequiredService<SenderNotes>(),
                    Devices = new(provider.GetRequiredService<TimeProvider>()),
                    Metrics = provider.GetRequiredService<ForwarderMetrics>(),
                    Pause = provider.GetRequiredService<PauseSwitch>(),
                    Health = provider.GetRequiredService<Health>(),
                    Clock = provider.GetRequiredService<TimeProvider>(),
                    Logger = provider.GetRequiredService<ILogger<Forwarder>>(),
                })
                .AddSingleton(provider => new CostBook(
                    options.Road,
                    options.Prices,
                    options.DataDirectory,
                    (provider.GetRequiredService<System.Diagnostics.Metrics.Meter>(), provider.GetRequiredService<StatusPage>()),
                    provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ILogger<CostBook>>()
                ))
                .AddSingleton(provider => new PauseSwitch(
                    options.DataDirectory,
                    provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ILogger<PauseSwitch>>()
                ))
                .AddSingleton<ForwarderReport>()
                .AddSingleton<ForwarderControl>()
                .AddHostedService(provider => provider.GetRequiredService<PauseSwitch>())
                // Before the forwarder, so that the cost book stops after it and keeps what was sent last.
                .AddHostedService(provider => provider.GetRequiredService<CostBook>())
                .AddHostedService<Forwarder>();
    }
}
