using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Sensors;

namespace ThermalStreaming.SensorAgent;

/// <summary>The agent, as its parts: what runs, its command-line options and what <c>check</c> tests.</summary>
static class Agent
{
    /// <summary>The original's options.</summary>
    public static IReadOnlyList<SettingOption> Arguments { get; } =
    [
        new("--config", "CONFIG_FILE", "JSON file with settings; the environment takes precedence."),
        new("--batch-size", "BATCH_SIZE", "Thermal readings per batch."),
        new("--interval", "INTERVAL_SECONDS", "Seconds between two thermal batches."),
        new("--simulate", "SOURCE", "Simulate the environmental sensors.", IsSwitch: true, SwitchValue: "simulate"),
        new("--verbose", "LOG_LEVEL", "Log more.", IsSwitch: true, SwitchValue: "Debug"),
    ];

    public static void Configure(IServiceCollection services, AgentOptions options)
    {
        services.AddSingleton<AgentMetrics>();
        services.AddSingleton<Kernel>();
        services.AddSingleton<ReadingClock>();
        services.AddSingleton<Device>();
        services.AddSingleton<Outboxes>();
        services.AddSingleton(provider => new SystemMetrics(
            "/proc",
            SystemMetrics.WithTemperatures(options.HostSys),
            options.DataDirectory,
            provider.GetRequiredService<Kernel>(),
            provider.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton<I2cBuses>();
        if (options.ReadsSensors)
            services.AddSingleton<HardwareSensors>();
        services.AddSingleton(provider => Sources(options, provider));
        services.AddSingleton<ReadingFeed>();
        services.AddSingleton<SamplingPlan>();
        services.AddSingleton(provider => new SensorList(
            provider.GetService<HardwareSensors>(),
            provider.GetRequiredService<ThermalSources>().Simulation,
            provider.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton<ClockReport>();
        services.AddSingleton<OutboxReport>();
        services.AddSingleton<SensorReport>();
        services.AddSingleton<AgentReport>();
        services.AddSingleton<ReadingWatch>();
        services.AddSingleton<ReadingNow>();
        services.AddSingleton<SamplingControl>();
        services.AddSingleton(provider => new SensorControl(
            provider.GetRequiredService<SensorList>(),
            provider.GetService<HardwareSensors>()
        ));
        services.AddSingleton<SensorCalls>();
        services.AddSingleton(provider => new CellControl(options, provider.GetService<CellMove>()));
        services.AddSingleton<AgentControl>();
        services.AddSingleton<ForwarderPresence>();
        services.AddSingleton<HomeAssistantPresence>();
        services.AddSingleton<BrokerConnection>();
        // Stopped in reverse order: the samplers store what they have in hand in the outbox, then the publisher publishes what time
        // allows.
        services.AddHostedService<ClockWatch>();
        if (options.Cells.IsUsed)
        {
            services.AddSingleton<CellMove>();
            services.AddHostedService(provider => provider.GetRequiredService<CellMove>());
        }
        services.AddHostedService<Publisher>();
        if (options.HomeAssistant)
            services.AddHostedService<HomeAssistant>();
        if (options.ReadsSensors)
            services.AddHostedService(provider => provider.GetRequiredService<HardwareSensors>());
        if (options.IsSampled(ReadingKind.Thermal))
            services.AddHostedService<ThermalSampling>();
        if (options.IsSampled(ReadingKind.Inverter))
            services.AddHostedService<InverterSampling>();
        // AddHostedService registers only one service of each type.
        foreach (var replay in options.Replays)
            services.AddSingleton<IHostedService>(provider => Replay(replay, provider));
        if (options.CertificatePort > 0)
            services.AddHostedService<CertificateWatch>();
    }

    static RecordingSampling Replay(RecordingOptions replay, IServiceProvider provider)
    {
        var sampling = new RecordingSampling(
            replay,
            provider.GetRequiredService<Device>(),
            provider.GetRequiredService<Outboxes>()[replay.Kind],
            provider.GetRequiredService<AgentMetrics>(),
            provider.GetRequiredService<Health>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RecordingSampling>>()
        )
        {
            Feed = provider.GetRequiredService<ReadingFeed>(),
        };
        provider.GetRequiredService<StatusPage>().Add(sampling.WriteStatus);
        return sampling;
    }

    static ThermalSources Sources(AgentOptions options, IServiceProvider provider)
    {
        provider.GetRequiredService<AgentMetrics>().Observe(provider.GetRequiredService<SystemMetrics>());
        var simulation = options.Simulate ? new SimulatedEnvironment(options.Seed, options.Sensors.StuckAfter) : null;
        if (simulation is not null)
        {
            provider.GetRequiredService<AgentMetrics>().Observe(simulation);
            var logger = provider.GetRequiredService<ILogger<ThermalSources>>();
            ThermalSources.LogSimulates(logger, options.Seed);
        }
        return new ThermalSources(provider.GetRequiredService<SystemMetrics>(), simulation, provider.GetService<HardwareSensors>());
    }
}
