using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Hosting;

/// <summary>
/// The verbs of every service: <c>check</c>, <c>healthcheck</c> and <c>status</c>, and those that its definition adds. Without a verb, the
/// service runs.
/// </summary>
static class ServiceCommandLine
{
    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync<TOptions>(string[] args, ServiceDefinition<TOptions> definition)
        where TOptions : class
    {
        var root = new RootCommand(definition.Description + Environment.NewLine + Environment.NewLine + DescribeSettings(definition));
        var arguments = Add(definition.Arguments, root);

        IConfiguration Configuration(ParseResult? parsed)
        {
            var given = arguments.Where(argument => parsed?.GetResult(argument.Option) is { Implicit: false });
            return ServiceConfiguration.Load(
                definition,
                given.Select(argument =>
                    KeyValuePair.Create(
                        argument.Key,
                        argument.Option switch
                        {
                            Option<string> text => parsed!.GetValue(text),
                            Option<bool> flag when !parsed!.GetValue(flag) => "false",
                            _ => argument.SwitchValue,
                        }
                    )
                )
            );
        }

        root.SetAction((parsed, cancellationToken) => ServiceHost.ServeAsync(definition, Configuration(parsed), cancellationToken));

        var json = new Option<bool>("--json") { Description = "Print JSON for machines." };
        var check = new Command("check", "Tests each dependency step by step and says what to do about what fails.") { json };
        check.SetAction(
            (parsed, cancellationToken) => CheckAsync(definition, Configuration(parsed), parsed.GetValue(json), cancellationToken)
        );
        arguments.AddRange(Add(definition.CheckArguments, check));
        root.Subcommands.Add(check);

        var live = new Option<bool>(StatusClient.Live)
        {
            Description =
                "Ask only whether the service answers: for an engine that restarts unhealthy containers, because a restart "
                + "would not bring Snowflake back.",
        };
        var healthcheck = new Command(
            "healthcheck",
            "Asks the running service whether it is healthy; exit code 0 or 1. For container engines."
        )
        {
            live,
        };
        healthcheck.SetAction(
            (parsed, cancellationToken) => StatusClient.HealthAsync(Configuration(parsed), parsed.GetValue(live), cancellationToken)
        );
        root.Subcommands.Add(healthcheck);

        var status = new Command("status", "Shows the figures of the running service.") { json };
        status.SetAction(
            (parsed, cancellationToken) => StatusClient.StatusAsync(Configuration(parsed), parsed.GetValue(json), cancellationToken)
        );
        root.Subcommands.Add(status);

        TOptions LoadOrExit()
        {
            var settings = new Settings(Configuration(null));
            var options = definition.Load(settings);
            return settings.Problems.Count == 0 ? options : throw new ConfigurationException(settings.Problems);
        }

        foreach (var command in definition.Commands?.Invoke(LoadOrExit) ?? [])
            root.Subcommands.Add(command);
        return root.Parse(args)
            .InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    static List<(string Key, string SwitchValue, Option Option)> Add(IReadOnlyList<SettingOption> arguments, Command command)
    {
        List<(string Key, string SwitchValue, Option Option)> options = [];
        foreach (var argument in arguments)
        {
            Option option = argument.IsSwitch
                ? new Option<bool>(argument.Name) { Description = argument.Description }
                : new Option<string>(argument.Name) { Description = $"{argument.Description} Same as {argument.Key}." };
            options.Add((argument.Key, argument.SwitchValue, option));
            command.Options.Add(option);
        }
        return options;
    }

    static string DescribeSettings<TOptions>(ServiceDefinition<TOptions> definition)
        where TOptions : class
    {
        var settings = new Settings(new ConfigurationBuilder().Build());
        _ = ServiceConfiguration.Control(definition, settings, ServiceConfiguration.HttpPort(settings));
        _ = LogSettings.Load(settings);
        _ = OtlpOptions.Load(settings);
        _ = definition.Load(settings);
        var lines = settings
            .Entries.DistinctBy(entry => entry.Key)
            .Select(entry => $"  {entry.Key, -34} {entry.Description}{(entry.Default.Length == 0 ? "" : $" [{entry.Default}]")}");
        return "Settings (environment; defaults in brackets):" + Environment.NewLine + string.Join(Environment.NewLine, lines);
    }

    static async Task<int> CheckAsync<TOptions>(
        ServiceDefinition<TOptions> definition,
        IConfiguration configuration,
        bool json,
        CancellationToken cancellationToken
    )
        where TOptions : class
    {
        var settings = new Settings(configuration);
        var port = ServiceConfiguration.HttpPort(settings);
        var control = ServiceConfiguration.Control(definition, settings, port);
        var options = definition.Load(settings);
        var isValid = settings.Problems.Count == 0;
        List<CheckStep> steps =
        [
            new(
                "configuration",
                _ =>
                    Task.FromResult(
                        isValid
                            ? CheckResult.Ok($"{settings.Entries.Count} settings are valid")
                            : CheckResult.Failed(
                                string.Join(" | ", settings.Problems),
                                "A setting is missing or out of range.",
                                "Correct it in .env, then start the service again."
                            )
                    )
            ),
        ];
        await using var app = isValid
            ? ServiceHost.Build(definition, options, port, control, new LogSettings(LogLevel.Critical, Json: false), new ServiceRestart())
            : null;
        if (app is not null)
            steps.AddRange(definition.Checks?.Invoke(options, app.Services) ?? []);
        await using var output = Console.OpenStandardOutput();
        var console = CheckList.ConsoleFor(Console.Out, isTerminal: !Console.IsOutputRedirected);
        return await CheckList.RunAsync(steps, json, console, output, TimeProvider.System, cancellationToken);
    }
}
