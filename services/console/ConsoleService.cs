using ThermalStreaming.Hosting;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Console;

/// <summary>The parts of the service: settings, checks, and background services.</summary>
static class ConsoleService
{
    const string Name = "console";

    public static ServiceDefinition<ConsoleOptions> Definition { get; } =
        new()
        {
            Name = Name,
            Description = "Shows the pipeline as a page for phones and walls: readings, devices, forwarders, problems and what to do.",
            Load = settings => ConsoleOptions.Load(settings, Name),
            Configure = (services, _) => services.AddConsole(),
            Checks = Checks,
        };

    static IEnumerable<CheckStep> Checks(ConsoleOptions options, IServiceProvider provider)
    {
        foreach (
            var step in BrokerCheck.Steps(
                options.Mqtt,
                provider.GetRequiredService<TimeProvider>(),
                filters: [Topics.Filter(ReadingKind.Thermal), Topics.Filter(ReadingKind.Inverter)]
            )
        )
            yield return step;
        yield return new CheckStep("history", _ => Task.FromResult(HistoryCheck.Run(options.DataDirectory)));
        foreach (var target in options.Targets)
            yield return new CheckStep(target.Service, cancellationToken => TargetCheck.RunAsync(target, cancellationToken));
    }

    extension(IServiceCollection services)
    {
        internal IServiceCollection AddConsole() =>
            services
                .AddSingleton<ReplicaBook>()
                .AddSingleton<DeviceBook>()
                .AddSingleton<BrokerFeed>()
                .AddSingleton<HistoryFiles>()
                .AddSingleton<ProblemBook>()
                .AddSingleton<Overview>()
                .AddSingleton<Sections>()
                .AddSingleton<GuessLimit>()
                .AddSingleton<ControlApi>()
                .AddSingleton<LetterApi>()
                .AddSingleton<EventStream>()
                .AddSingleton<WebFiles>()
                .AddSingleton<HostGate>()
                .AddSingleton<PageRequests>()
                // The history is read before the first reading arrives, and written after the last.
                .AddHostedService<HistoryKeeper>()
                .AddHostedService(provider => provider.GetRequiredService<BrokerFeed>())
                .AddHostedService<ReplicaWatch>()
                .AddHostedService<Ticker>()
                .AddHostedService<PageServer>();
    }
}
