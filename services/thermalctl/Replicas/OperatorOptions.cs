using System.CommandLine;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>The options of every verb that asks the services.</summary>
static class OperatorOptions
{
    static readonly Option<string[]> agents = Endpoints("--agent", "A sensor-agent, in place of those of the project.");
    static readonly Option<string[]> forwarders = Endpoints("--forwarder", "A forwarder, in place of those of the project.");

    static readonly Option<string> tokenFile = new("--token-file")
    {
        Description = $"File with the token that changes need. Otherwise THERMAL_TOKEN, or {OperatorToken.DefaultFile}.",
        HelpName = "FILE",
    };

    static readonly Option<string> patience = Patience();

    public static Option<bool> Json { get; } = new("--json") { Description = "JSON for programs; docs/thermalctl.md has the keys." };

    public static Option<string[]> Services { get; } =
        new("--service") { Description = "Only this service, for example s3-forwarder. May be repeated.", HelpName = "NAME" };

    public static Option<string[]> Replicas { get; } =
        new("--replica")
        {
            Description = "Only this replica, by its name or address as `status` shows it. May be repeated.",
            HelpName = "NAME",
        };

    /// <summary>Adds the options, and runs <paramref name="action"/> with the services that they name.</summary>
    public static Command Asks(this Command command, Func<OperatorRun, CancellationToken, Task<int>> action)
    {
        foreach (var option in (Option[])[Json, agents, forwarders, tokenFile, .. ControlTrust.Options, patience])
            command.Options.Add(option);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                var options = ControlTrust.Of(parsed, new ControlOptions { Token = OperatorToken.Read(parsed.GetValue(tokenFile)) });
                _ = Settings.TryParseDuration(parsed.GetValue(patience)!, out var wait);
                using var installation = new Installation(Named(parsed), options, wait);
                return await action(new OperatorRun(parsed, installation), cancellationToken);
            }
        );
        return command;
    }

    /// <summary>As above, with the choice of services and replicas.</summary>
    public static Command AsksChosen(this Command command, Func<OperatorRun, CancellationToken, Task<int>> action)
    {
        command.Options.Add(Services);
        command.Options.Add(Replicas);
        return command.Asks(action);
    }

    /// <summary>The services from the command line, else from the environment, else the project's.</summary>
    static List<ServiceEndpoint> Named(ParseResult parsed)
    {
        var named = Parsed(parsed.GetValue(agents) ?? [], isAgent: true)
            .Concat(Parsed(parsed.GetValue(forwarders) ?? [], isAgent: false))
            .ToList();
        if (named.Count == 0)
            named = [.. FromEnvironment("THERMAL_AGENTS", isAgent: true), .. FromEnvironment("THERMAL_FORWARDERS", isAgent: false)];
        return named.Count > 0 ? named : [.. ServiceEndpoint.OfCompose];
    }

    static IEnumerable<ServiceEndpoint> FromEnvironment(string variable, bool isAgent)
    {
        const StringSplitOptions Clean = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        foreach (var text in (Environment.GetEnvironmentVariable(variable) ?? "").Split(',', Clean))
            yield return ServiceEndpoint.TryParse(text, isAgent, out var endpoint)
                ? endpoint
                : throw new FailureException(
                    $"{variable} does not name a service",
                    $"'{text}' is not HOST or HOST:PORT",
                    $"correct {variable}, for example 192.168.1.20:{ControlOptions.DefaultPort}",
                    OperatorExit.Usage
                );
    }

    static IEnumerable<ServiceEndpoint> Parsed(IEnumerable<string> texts, bool isAgent)
    {
        foreach (var text in texts)
        {
            // Texts that are not endpoints were refused before.
            if (ServiceEndpoint.TryParse(text, isAgent, out var endpoint))
                yield return endpoint;
        }
    }

    static Option<string> Patience()
    {
        var option = new Option<string>("--patience")
        {
            Description = "How long to wait for the status of a replica; `top` waits 1.5s at most.",
            HelpName = "TIME",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable("THERMAL_PATIENCE") is { Length: > 0 } set ? set : "2s",
        };
        option.Validators.Add(result =>
        {
            if (!Settings.TryParseDuration(result.GetValueOrDefault<string>() ?? "", out var value) || value <= TimeSpan.Zero)
                result.AddError("--patience must be a time with its unit, for example 500ms or 10s.");
        });
        return option;
    }

    static Option<string[]> Endpoints(string name, string description)
    {
        var option = new Option<string[]>(name)
        {
            Description = $"{description} Port {ControlOptions.DefaultPort} unless named. May be repeated.",
            HelpName = "HOST[:PORT]",
        };
        option.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (!ServiceEndpoint.TryParse(token.Value, isAgent: true, out _))
                    result.AddError($"{name} {token.Value} is not HOST or HOST:PORT with a port from 1 to 65535.");
            }
        });
        return option;
    }
}
