using ThermalStreaming.Hosting;

namespace ThermalStreaming.SensorAgent;

/// <summary>The agent, as its parts: what runs, its command-line options and what <c>check</c> tests.</summary>
static class Agent
{
    /// <summary>The original's options.</summary>
    public static IReadOnlyList<SettingOption> Arguments { get; } =
    [
        new("--config", "CONFIG_FILE", "JSON file with settings; the environment goes before it."),
        new("--batch-size", "BATCH_SIZE", "Thermal readings per batch."),
        new("--interval", "INTERVAL_SECONDS", "Seconds between two thermal batches."),
        new("--simulate", "SIMULATE", "Simulate the environmental sensors.", IsSwitch: true),
        new("--verbose", "LOG_LEVEL", "Log more.", IsSwitch: true, SwitchValue: "Debug"),
    ];

    public static void Configure(IServiceCollection services, AgentOptions options)
    {
        services.AddSingleton<AgentMetrics>();
        services.AddSingleton<Device>();
        services.AddSingleton<Outboxes>();
        services.AddSingleton(provider => new SystemMetrics(
            "/proc", SystemMetrics.WithTemperatures(options.HostSys), options.DataDirectory, provider.GetRequiredService<TimeProvider>()));
        // Stopped in reverse: the samplers put what they have in hand into the outbox, then the publisher publishes what time allows.
        services.AddHostedService<Publisher>();
        services.AddHostedService<ThermalSampling>();
        if (options.Inverters > 0)
            services.AddHostedService<InverterSampling>();
        if (options.CertificatePort > 0)
            services.AddHostedService<CertificateWatch>();
    }
}
