namespace ThermalStreaming.Thermalctl;

/// <summary>
/// A user of the broker for each service with a credentials volume in Compose: makes whatever is missing, and keeps what exists.
/// </summary>
sealed class ServiceUsers(SetupPlaces places, BrokerUsers users, AccessInUse inUse, InstallationIdentity identity, TextWriter output)
{
    /// <summary>Each slot of a forwarder is a user, from 0 to this one.</summary>
    const int LastSlot = 63;

    const int PublisherConnections = 16;

    public const string Publisher = "publisher";

    /// <summary>The password of <see cref="Publisher"/> from .env; empty if it is not set.</summary>
    public string WantedForPublisher => places.Setting("MQTT_PUBLISHER_PASSWORD");

    public void Make()
    {
        var access = inUse.Keep();
        var installation = identity.Read();
        SafeFile.WriteIfChanged(Path.Combine(places.Auth, "installation"), installation + "\n");
        Directory.CreateDirectory(places.Users);
        // From earlier versions.
        File.Delete(Path.Combine(places.Auth, "passwd"));
        foreach (var directory in Directory.GetDirectories(places.Credentials).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(directory);
            if (IsMounted(directory))
                Make(name, directory, installation);
            else
                users.Remove(name);
        }
        users.WriteRules(access);
    }

    /// <summary>Replaces a service's password atomically, so that it reads the old one or the new one.</summary>
    public void WritePassword(string name, string password) => SafeFile.Write(PasswordFile(name), password + "\n", SafeFile.ReadOnlyForAll);

    /// <summary>Empty if the service has none.</summary>
    public string PasswordOf(string name) => SafeFile.ReadOrEmpty(PasswordFile(name)).TrimEnd('\n');

    /// <summary>Makes the agent's user follow the machine's name.</summary>
    public void FollowHostName()
    {
        var access = inUse.Read();
        if (users.Find("sensor-agent") is { } agent)
            users.Prepare(Service(agent.Name, "", agent.Hash)!, access)();
        else
            users.WriteRules(access);
    }

    string PasswordFile(string name) => Path.Combine(places.Credentials, name, "password");

    void Make(string name, string directory, string installation)
    {
        var known = PasswordOf(name);
        var wanted =
            name == Publisher && WantedForPublisher.Length > 0 ? WantedForPublisher
            : known.Length == 0 ? PasswordHash.RandomPassword()
            : known;
        // A kill between two writes, or a volume from a backup, may have left another password's hash.
        var hash = users.Find(name)?.Hash is { } kept && kept.IsOf(wanted) ? kept : PasswordHash.Of(wanted);
        if (wanted != known)
        {
            WritePassword(name, wanted);
            output.WriteLine($"made a password for {name}");
        }
        SafeFile.WriteIfChanged(Path.Combine(directory, "installation"), installation + "\n", SafeFile.ReadOnlyForAll);
        if (Service(name, installation, hash) is { } user)
            users.Keep(user);
    }

    BrokerUser? Service(string name, string installation, PasswordHash hash) =>
        name switch
        {
            "sensor-agent" => new BrokerUser(name, "device", [places.DeviceId], [$"{name}/check"], BrokerUser.FromCompose, hash),
            "snowpipe-forwarder" or "s3-forwarder" => new BrokerUser(
                name,
                name,
                [],
                [$"{name}/check", .. Enumerable.Range(0, LastSlot + 1).Select(slot => $"{name}-{installation}-slot-{slot}")],
                BrokerUser.FromCompose,
                hash
            ),
            "console" => new BrokerUser(name, name, [], [$"{name}/check"], BrokerUser.FromCompose, hash),
            Publisher => new BrokerUser(
                name,
                "device",
                PublisherDevices,
                [$"{name}/check", .. Enumerable.Range(2, PublisherConnections - 1).Select(connection => $"{name}/{connection}")],
                BrokerUser.FromCompose,
                hash
            ),
            BrokerLoginName.User => new BrokerUser(
                name,
                BrokerUser.Reader,
                [],
                [$"{name}/check", .. BrokerLoginName.All.Skip(1)],
                BrokerUser.FromCompose,
                hash
            ),
            _ => null,
        };

    string[] PublisherDevices => (places.Setting("MQTT_PUBLISHER_DEVICES") is { Length: > 0 } set ? set : "demo").Split(',');

    /// <summary>Only a mounted volume can be written to. Without one, the Compose files do not want this user.</summary>
    public static bool IsMounted(string directory)
    {
        var probe = Path.Combine(directory, ".mounted");
        try
        {
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
