using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The verbs of the operator's program. <c>./thermalctl</c> runs them in a container. For <c>check</c> and the verbs for <c>./up</c>, the
/// container has Docker's socket, and Compose's output for the settings on standard input; the other verbs ask the services over the
/// network.
/// </summary>
static class ControlCommandLine
{
    internal const string Socket = "/var/run/docker.sock";

    internal static readonly TimeSpan AnswerCeiling = TimeSpan.FromSeconds(10);

    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var parsed = Root().Parse(args);
        if (parsed.Errors.Count > 0)
            return Refuse(parsed);
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (FailureException e)
        {
            new Narrator(Console.Out, Console.Error, Terminal.IsInteractive).Fail(e.Message);
            return e.ExitCode;
        }
        catch (EngineException e)
        {
            new Narrator(Console.Out, Console.Error, Terminal.IsInteractive).Fail(
                new FailureException("Docker refused a request", e.Message, "correct what this message names, then run this again").Message
            );
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            return OperatorExit.Interrupted;
        }
    }

    /// <summary>Says what is wrong, and where to read more; the full help would push that off the screen.</summary>
    static int Refuse(ParseResult parsed)
    {
        foreach (var error in parsed.Errors)
            Console.Error.WriteLine(error.Message);
        var verbs = new List<string>();
        for (var command = parsed.CommandResult; command?.Command is not (null or RootCommand); command = command.Parent as CommandResult)
            verbs.Insert(0, command.Command.Name);
        Console.Error.WriteLine($"./thermalctl {string.Join(' ', verbs.Append("--help"))} lists verbs and options");
        return OperatorExit.Usage;
    }

    static RootCommand Root()
    {
        var root = new RootCommand(
            "Thermal Streaming's tool for operators. Exit codes: 0 done and well, 1 failed, 2 wrong option, 3 partly."
        )
        {
            StatusCommand.Create(),
            TopCommand.Create(),
            TailCommand.Create(),
            ReadCommand.Create(),
            SensorsCommand.Create(),
            SetCommand.Create(),
            DeliveryCommands.Pause(),
            DeliveryCommands.Resume(),
            FlushCommand.Create(),
            DeadLetterCommands.Create(),
            JournalCommands.Create(),
            CostCommand.Create(),
            CellCommands.Create(),
            TokenCommand.Create(),
            Check(),
        };
        // ./up and the service `setup` run these; people do not type them.
        Command[] ofScripts =
        [
            Wait(),
            Ended(),
            Before(),
            Setting(),
            SetupCommand.Create(),
            DeviceCommands.Enrolled(),
            DeviceCommands.Revoked(),
            DeviceCommands.Rotated(),
            BackupCommands.Backup(),
            BackupCommands.Restore(),
        ];
        foreach (var command in ofScripts)
        {
            command.Hidden = true;
            root.Subcommands.Add(command);
        }
        root.Subcommands.Add(CompletionCommand.Create(root));
        return root;
    }

    static Command Check()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object for programs." };
        var probe = new Option<bool>("--probe") { Description = "Also send one row to Snowflake and wait for its commit." };
        var compose = new Option<string>("--compose") { Description = "The version of Compose.", DefaultValueFactory = _ => "" };
        var problem = new Option<string>("--settings-problem") { Description = "Why Compose cannot read the settings." };
        var fix = new Option<string>("--settings-fix") { Description = "What to do about it.", DefaultValueFactory = _ => "" };
        var check = new Command("check", "Tests the machine and every service, and says how to fix what it finds.")
        {
            json,
            probe,
            compose,
            problem,
            fix,
        };
        check.SetAction(
            async (parsed, cancellationToken) =>
            {
                var settings = parsed.GetValue(problem) is { Length: > 0 } reason
                    ? new ReadSettings(null, reason, parsed.GetValue(fix)!)
                    : ReadSettings.From(await Console.In.ReadToEndAsync(cancellationToken));
                using var docker = new DockerEngine(Socket);
                var report = new CheckReport(parsed.GetValue(json) ? null : Terminal.For(Console.Out));
                var code = await new InstallationCheck(docker, HostView.OfContainer, report, TimeProvider.System).RunAsync(
                    parsed.GetValue(compose)!,
                    settings,
                    parsed.GetValue(probe),
                    cancellationToken
                );
                if (parsed.GetValue(json))
                    report.WriteJson(Console.Out);
                return code;
            }
        );
        return check;
    }

    static Command Wait()
    {
        var json = new Option<bool>("--json")
        {
            Description = "The figures as JSON on standard output, and everything else on standard error.",
        };
        var elapsed = new Option<int>("--elapsed") { Description = "For how many seconds ./up has been running." };
        var wait = new Command("wait", "Waits until readings arrive, or every service is ready; then shows figures and what to do next.")
        {
            json,
            elapsed,
        };
        wait.SetAction(
            async (parsed, cancellationToken) =>
            {
                var narrator = new Narrator(parsed.GetValue(json) ? Console.Error : Console.Out, Console.Error, Terminal.IsInteractive);
                using var docker = new DockerEngine(Socket);
                using var http = DirectHttp.Client(AnswerCeiling);
                var project = new RunningProject(docker, await SettingsAsync(cancellationToken), http);
                var figures = await new ArrivalWait(docker, project, narrator, TimeProvider.System).RunAsync(
                    TimeSpan.FromSeconds(parsed.GetValue(elapsed)),
                    cancellationToken
                );
                if (parsed.GetValue(json))
                    Figures.WriteJson(figures, Console.Out);
            }
        );
        return wait;
    }

    static Command Ended()
    {
        var ended = new Command("ended", "Says why a container ended that should run; exit code 0 if none has ended.");
        ended.SetAction(
            async (_, cancellationToken) =>
            {
                using var docker = new DockerEngine(Socket);
                using var http = DirectHttp.Client(AnswerCeiling);
                var project = new RunningProject(docker, await SettingsAsync(cancellationToken), http);
                await new EndedContainers(project, new Narrator(Console.Out, Console.Error, Terminal.IsInteractive)).ThrowAsync(
                    await project.ReplicasAsync(cancellationToken),
                    cancellationToken
                );
            }
        );
        return ended;
    }

    static Command Before()
    {
        var directory = new Option<string>("--directory")
        {
            Description = "The project's directory on the machine, inside which a missing key pair is made.",
            Required = true,
        };
        var before = new Command("before-start", "Finds problems that would make the start fail: a missing key or image, a port in use.")
        {
            directory,
        };
        before.SetAction(
            async (parsed, cancellationToken) =>
            {
                using var docker = new DockerEngine(Socket);
                var project = await SettingsAsync(cancellationToken);
                var narrator = new Narrator(Console.Out, Console.Error, Terminal.IsInteractive);
                LanProfile.Warn(project, narrator);
                await OwnImages.CheckAsync(docker, project, cancellationToken);
                await new PrivateKey(docker, project, narrator).CheckAsync(parsed.GetValue(directory)!, cancellationToken);
                await Ports.CheckAsync(docker, project, cancellationToken);
            }
        );
        return before;
    }

    static Command Setting()
    {
        var paths = new Argument<string[]>("path") { Description = "For example services/setup/image.", Arity = ArgumentArity.OneOrMore };
        var setting = new Command(
            "setting",
            "Prints values of the settings as Compose sees them, a line each; the line of a missing value is empty."
        )
        {
            paths,
        };
        setting.SetAction(
            async (parsed, cancellationToken) =>
            {
                var project = await SettingsAsync(cancellationToken);
                foreach (var path in parsed.GetValue(paths)!)
                    await Console.Out.WriteLineAsync((project.Value(path.Split('/')) ?? "").ReplaceLineEndings(" "));
            }
        );
        return setting;
    }

    static async Task<ComposeProject> SettingsAsync(CancellationToken cancellationToken) =>
        Settings(await Console.In.ReadToEndAsync(cancellationToken));

    internal static ComposeProject Settings(string json)
    {
        try
        {
            return ComposeProject.Parse(json);
        }
        catch (JsonException e)
        {
            throw new FailureException(
                "the settings cannot be read",
                e.Message,
                "pass them on standard input: docker compose config --format json | thermalctl …"
            );
        }
    }
}
