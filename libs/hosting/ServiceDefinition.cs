using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ThermalStreaming.Hosting;

/// <summary>What a service is: the one thing each <c>Program.cs</c> says.</summary>
/// <typeparam name="TOptions">The service's own options.</typeparam>
public sealed class ServiceDefinition<TOptions>
    where TOptions : class
{
    /// <summary>Name of the compose service.</summary>
    public required string Name { get; init; }

    /// <summary>One sentence for <c>--help</c>.</summary>
    public required string Description { get; init; }

    /// <summary>Reads and validates the options. Must not throw; problems go to <see cref="Settings.Problem"/>.</summary>
    public required Func<Settings, TOptions> Load { get; init; }

    /// <summary>Registers what runs. Hosted services start in the order given and stop in reverse.</summary>
    public required Action<IServiceCollection, TOptions> Configure { get; init; }

    /// <summary>How it is controlled by gRPC; null: not at all.</summary>
    public ControlDefinition? Control { get; init; }

    /// <summary>The steps of <c>check</c>, after the one that checks the configuration itself.</summary>
    public Func<TOptions, IServiceProvider, IEnumerable<CheckStep>>? Checks { get; init; }

    /// <summary>Command-line options of <c>check</c> that stand for a setting, for example <c>--probe</c>.</summary>
    public IReadOnlyList<SettingOption> CheckArguments { get; init; } = [];

    /// <summary>
    /// Verbs of this service alone (<c>journal</c>, <c>keygen</c>). They get the options lazily, because some must work without options.
    /// </summary>
    public Func<Func<TOptions>, IEnumerable<Command>>? Commands { get; init; }

    /// <summary>
    /// Command-line options of the running service that stand for a setting, for example <c>--batch-size</c> for BATCH_SIZE.
    /// </summary>
    public IReadOnlyList<SettingOption> Arguments { get; init; } = [];

    /// <summary>Further configuration sources below the environment, for example a mounted JSON file.</summary>
    public Action<IConfigurationBuilder>? Sources { get; init; }
}
