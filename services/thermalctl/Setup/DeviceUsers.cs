using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Users that a person creates and removes while everything runs. Each method prints the password, if there is a new one, and then a line
/// for <c>broker apply</c>.
/// </summary>
sealed class DeviceUsers(BrokerUsers users, ServiceUsers services, AccessInUse inUse, TextWriter output, TextWriter errors)
{
    /// <summary>The exit code if a device is, or is not, enrolled, or a user is not a service.</summary>
    public const int WrongUser = 3;

    /// <summary>The exit code if the password is a setting.</summary>
    public const int PasswordIsSet = 4;

    const int LongestName = 64;

    /// <summary>Creates a user for a device; with <paramref name="renew"/>, gives an existing one a new password.</summary>
    /// <param name="name">Name of the device.</param>
    /// <param name="renew">Whether it may be enrolled already.</param>
    /// <param name="gateways">Mappings for which it becomes a gateway, in addition to those for which it is one already.</param>
    /// <exception cref="ConfigurationException">The mappings in use cannot be read.</exception>
    public void Enroll(string name, bool renew, IReadOnlyList<string>? gateways = null)
    {
        CheckName(name);
        var access = inUse.Read();
        foreach (var gateway in gateways ?? [])
            CheckGateway(gateway, access);
        if (users.Knows(name) && !renew)
        {
            throw new FailureException(
                $"{name} is enrolled already",
                "Its password is stored only as a hash, so it cannot be shown again",
                gateways is null
                    ? $"./up --enroll {name} --renew makes a new one, and the old one stops working"
                    : $"./up --enroll {name} --renew --mapping {string.Join(" --mapping ", gateways)} makes a new one and adds the mapping; the "
                        + "old one stops working",
                WrongUser
            );
        }
        var password = PasswordHash.RandomPassword();
        var user = new BrokerUser(name, "device", [name], [$"{name}/check"], BrokerUser.Enrolled, PasswordHash.Of(password))
        {
            Gateways = [.. (users.Find(name)?.Gateways ?? []).Union(gateways ?? [])],
        };
        users.Prepare(user, access)();
        if (user.Gateways.Count > 0)
            errors.WriteLine($"{name} is the gateway of {string.Join(", ", user.Gateways)}");
        if (inUse.IsOutdated)
            errors.WriteLine(
                "MAPPINGS, HOME_ASSISTANT or the mapping file have changed since the last start; its rights are those of that start. To "
                    + "apply the new settings: ./up --no-build"
            );
        output.WriteLine(password);
        output.WriteLine(BrokerCommands.Enroll(user, password, access));
    }

    public void Revoke(string name)
    {
        CheckName(name);
        if (!users.Knows(name))
            throw new FailureException(
                $"{name} is not enrolled",
                "The broker has no such device",
                "./up --devices lists the enrolled devices",
                WrongUser
            );
        users.Revoke(name);
        output.WriteLine(BrokerCommands.Forget(name));
    }

    public void List()
    {
        foreach (var user in users.All.Where(user => user.Origin == BrokerUser.Enrolled))
            output.WriteLine(user.Name);
    }

    /// <summary>
    /// Makes a new password for a service. It is in the service's volume before the broker has it: the broker then ends connections made
    /// with the old one, and a service that reconnects reads the new one. Sessions stay.
    /// </summary>
    public void Rotate(string name)
    {
        if (users.Find(name) is not { Origin: BrokerUser.FromCompose } user || services.PasswordOf(name).Length == 0)
        {
            throw new FailureException(
                $"{name} is not a service of this installation",
                "The broker's services are sensor-agent, snowpipe-forwarder, s3-forwarder, console, cli and, with the stand-ins, publisher",
                $"for a device: ./up --enroll {name} --renew",
                WrongUser
            );
        }
        if (name == ServiceUsers.Publisher && services.WantedForPublisher.Length > 0)
        {
            throw new FailureException(
                "you set the password of publisher yourself",
                "MQTT_PUBLISHER_PASSWORD is set in .env",
                "change it there, or remove the line, then ./up --no-build",
                PasswordIsSet
            );
        }
        var password = PasswordHash.RandomPassword();
        var keep = users.Prepare(user with { Hash = PasswordHash.Of(password) }, inUse.Read());
        services.WritePassword(name, password);
        keep();
        output.WriteLine(password);
        output.WriteLine(BrokerCommands.Rotate(user, password));
    }

    void CheckGateway(string name, AccessSettings access)
    {
        if (name == AccessSettings.HomeAssistantUser)
        {
            if (access.HomeAssistant)
                return;
            CheckInUse("HOME_ASSISTANT");
            throw new FailureException(
                "agents do not describe themselves to Home Assistant",
                "HOME_ASSISTANT is not true",
                "write HOME_ASSISTANT=true into .env, run ./up --no-build, then run this again; docs/devices.md"
            );
        }
        var mappings = access.Mappings;
        if (mappings.Mappings.Any(mapping => mapping.Name == name && mapping.IsGateway))
            return;
        CheckInUse("MAPPINGS or the mapping file");
        var gateways = mappings.Mappings.Where(mapping => mapping.IsGateway).Select(mapping => mapping.Name).ToList();
        throw new FailureException(
            $"there is no gateway '{name}'",
            mappings.Mappings.Any(mapping => mapping.Name == name)
                ? "The devices of that mapping publish for themselves, each under its own name, and need no --mapping"
                : $"Gateways in use (MAPPINGS, MAPPINGS_PATH): {(gateways.Count == 0 ? "none" : string.Join(", ", gateways))}",
            "add the mapping to MAPPINGS in .env and ./up --no-build, or leave --mapping out; docs/devices.md"
        );
    }

    /// <summary>Whatever is missing may be in .env already.</summary>
    void CheckInUse(string settings)
    {
        if (inUse.IsOutdated)
            throw new FailureException(
                "the settings in .env are not in use yet",
                $"{settings} may have it, but has changed since the last start, and the broker and the forwarders do not use the change "
                    + "yet",
                "run ./up --no-build first, then run this again"
            );
    }

    void CheckName(string name)
    {
        var problem = name switch
        {
            _ when name.Length == 0 || name[0] is '.' or '-' || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-') =>
                "Letters, digits, '.', '_' and '-' are allowed, and the first is a letter, a digit or '_'",
            _ when name.Length > LongestName => $"It is longer than {LongestName} characters",
            "administrator" or "health" => "The broker has a user of its own with this name",
            _ when users.Find(name) is { Origin: not BrokerUser.Enrolled } => "It is a service of this installation, not a device",
            _ => "",
        };
        if (problem.Length > 0)
            throw new FailureException($"'{name}' cannot be the name of a device", problem, "choose another name");
    }
}
