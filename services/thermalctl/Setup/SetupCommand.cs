using System.CommandLine;
using System.Security.Cryptography;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Makes whatever the broker and its clients need to trust each other, and keeps what exists. The Compose services <c>setup</c> and
/// <c>keeper</c> run it, with the volumes and without a network.
/// </summary>
static class SetupCommand
{
    internal const string LookAtDisk = "look at the disk under Docker: ./check";

    const int UsualCheckSeconds = 3600;

    public static Command Create()
    {
        var setup = new Command("setup", "Users, passwords and certificates of the broker: makes what is missing, and keeps what exists.")
        {
            Keep(),
            Verb("devices", "The enrolled devices, one per line.", tools => tools.Devices.List()),
            Verb(
                "healthy",
                "Exit code 0 if the certificate is valid.",
                tools => tools.Certificates.AreValid ? ExitCodes.Ok : ExitCodes.Failed
            ),
            Verb(
                "control",
                "Makes the token for control if it is missing, and nothing for a broker: for a machine with sensors alone.",
                _ => Alone(tools => tools.Tokens.Make())
            ),
            Verb("token", "Makes a new token for control by gRPC; services use it at once.", _ => Alone(tools => tools.Tokens.Renew())),
            Enroll(),
            ForUser(
                "revoke",
                "Deletes a device's user; prints the commands for `broker apply`.",
                (tools, name) => tools.Devices.Revoke(name)
            ),
            ForUser(
                "rotate",
                "Makes a new password for a service; prints it and then the commands for `broker apply`.",
                (tools, name) => tools.Devices.Rotate(name)
            ),
            ForUser("adopt", "Gives the installation the identity of an earlier one, whose sessions the broker still has.", Adopt),
        };
        Act(setup, _ => Alone(Make));
        return setup;
    }

    /// <summary>Runs an action while no other process changes anything.</summary>
    static void Alone(Action<SetupTools> action)
    {
        var tools = SetupTools.OfContainer();
        using (SetupLock.Take(tools.Places))
            action(tools);
    }

    static void Make(SetupTools tools)
    {
        RestoreMark.Refuse(tools.Places.Authority);
        tools.Services.Make();
        tools.Certificates.Make();
        tools.Tokens.Make();
    }

    static Command Keep()
    {
        var make = new Option<bool>("--make")
        {
            Description = "First makes what is missing, as setup does: for a swarm, where nothing runs before the other containers.",
        };
        var keep = new Command("keep", "Renews the certificate in time, and follows a new host name, until it is stopped.") { make };
        Act(
            keep,
            (parsed, cancellationToken) =>
            {
                if (parsed.GetValue(make))
                    Alone(Make);
                return KeepAsync(SetupTools.OfContainer(), cancellationToken);
            }
        );
        return keep;
    }

    static async Task<int> KeepAsync(SetupTools tools, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                // The machine's name may have changed.
                tools = SetupTools.OfContainer();
                using (SetupLock.Take(tools.Places))
                {
                    tools.Certificates.Make();
                    FollowHostName(tools);
                }
                var seconds = tools.Places.Number("CERTIFICATE_CHECK_SECONDS", UsualCheckSeconds);
                await Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Ok;
        }
    }

    /// <summary>The certificate is renewed even if a mapping file is wrong; users keep their rules until it is corrected.</summary>
    static void FollowHostName(SetupTools tools)
    {
        try
        {
            tools.Services.FollowHostName();
        }
        catch (ConfigurationException e)
        {
            foreach (var problem in e.Problems)
                Console.Error.WriteLine(problem);
        }
    }

    static void Adopt(SetupTools tools, string identity)
    {
        if (!InstallationIdentity.IsOne(identity))
        {
            throw new FailureException(
                $"'{identity}' is not an identity",
                "It has 8 digits from 0 to f, as in snowpipe-forwarder-0123abcd-slot-0",
                "./check names the sessions that nobody connects to"
            );
        }
        tools.Identity.Keep(identity);
        Make(tools);
        Console.WriteLine(
            $"the identity of this installation is now {identity}. Restart the broker and its clients: docker compose restart"
        );
    }

    static Command Enroll()
    {
        var name = NameOfUser();
        var renew = new Argument<string>("renew")
        {
            Description = "renew: a new password for a device that is enrolled.",
            DefaultValueFactory = _ => "",
        };
        var mapping = new Option<string[]>("--mapping")
        {
            Description = "A mapping whose gateway the device is: it may publish on all its topics.",
        };
        var enroll = new Command("enroll", "Makes a user for a device; prints its password and then the commands for `broker apply`.")
        {
            name,
            renew,
            mapping,
        };
        Act(
            enroll,
            parsed =>
                Alone(tools =>
                    tools.Devices.Enroll(
                        parsed.GetValue(name)!,
                        parsed.GetValue(renew) == "renew",
                        parsed.GetValue(mapping) is { Length: > 0 } gateways ? gateways : null
                    )
                )
        );
        return enroll;
    }

    static Command ForUser(string verb, string description, Action<SetupTools, string> action)
    {
        var name = NameOfUser();
        var command = new Command(verb, description) { name };
        Act(command, parsed => Alone(tools => action(tools, parsed.GetValue(name)!)));
        return command;
    }

    static Argument<string> NameOfUser() => new("name") { DefaultValueFactory = _ => "" };

    static Command Verb(string verb, string description, Action<SetupTools> action)
    {
        var command = new Command(verb, description);
        Act(command, _ => action(SetupTools.OfContainer()));
        return command;
    }

    static Command Verb(string verb, string description, Func<SetupTools, int> action)
    {
        var command = new Command(verb, description);
        Act(command, (_, _) => Task.FromResult(action(SetupTools.OfContainer())));
        return command;
    }

    static void Act(Command command, Action<ParseResult> action) =>
        Act(
            command,
            (parsed, _) =>
            {
                action(parsed);
                return Task.FromResult(ExitCodes.Ok);
            }
        );

    /// <summary>
    /// After a disk failure or a damaged file, the verb ends with a sentence, which <c>check</c> quotes, not a stack trace.
    /// </summary>
    static void Act(Command command, Func<ParseResult, CancellationToken, Task<int>> action) =>
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                try
                {
                    return await action(parsed, cancellationToken);
                }
                catch (ConfigurationException e)
                {
                    foreach (var problem in e.Problems)
                        await Console.Error.WriteLineAsync(problem);
                    throw new FailureException(
                        "the mappings cannot be used",
                        e.Problems[0],
                        "correct MAPPINGS in .env, or the file that MAPPINGS_PATH names; docs/devices.md",
                        ExitCodes.BadConfiguration
                    );
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
                {
                    throw new FailureException(
                        "the files of setup cannot be read or written",
                        e.Message.ReplaceLineEndings(" "),
                        LookAtDisk
                    );
                }
            }
        );
}
