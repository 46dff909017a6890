using ThermalStreaming.Hosting;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// The settings by which every service finds its broker: MQTT_HOST, MQTT_PORT, MQTT_USER, MQTT_PASSWORD_FILE and the rest.
/// </summary>
public static class MqttSettings
{
    /// <summary>Reads and checks them; problems go to <see cref="Settings.Problem"/>.</summary>
    /// <param name="settings">The settings to read.</param>
    /// <param name="defaultClientId">Client id when MQTT_CLIENT_ID is not set. Must be the same after a restart.</param>
    /// <param name="defaultUser">User when MQTT_USER is not set but there is a password; null for none.</param>
    /// <param name="keepAlive">The keep-alive; null: MQTT_KEEP_ALIVE.</param>
    public static MqttOptions Load(Settings settings, string defaultClientId, string? defaultUser = null, TimeSpan? keepAlive = null)
    {
        var before = settings.Problems.Count;
        var tls = settings.Flag("MQTT_TLS", false, "Encrypt the connection to the broker.");
        var options = new MqttOptions
        {
            Host = settings.Text("MQTT_HOST", "localhost", "Name or address of the MQTT broker."),
            Port = settings.WholeNumber("MQTT_PORT", tls ? 8883 : 1883, 1, 65_535, "Port of the MQTT broker; 8883 with TLS."),
            UserName = settings.OptionalText("MQTT_USER", "User at the broker; {client} in it stands for the client id."),
            Password = settings.Secret("MQTT_PASSWORD", "Password at the broker."),
            PasswordFile = settings.SecretFile("MQTT_PASSWORD"),
            ClientId = settings.Text("MQTT_CLIENT_ID", defaultClientId, "Name of this client at the broker; each client needs its own."),
            ReceiveMaximum = settings.WholeNumber(
                "MQTT_RECEIVE_MAXIMUM",
                1000,
                1,
                1000,
                "Messages the broker may send before the first is acknowledged; bounds memory."
            ),
            MaximumInFlight = settings.WholeNumber(
                "MQTT_MAXIMUM_IN_FLIGHT",
                1000,
                1,
                65_535,
                "Messages published before the first is acknowledged."
            ),
            KeepAlive =
                keepAlive
                ?? settings.Duration(
                    "MQTT_KEEP_ALIVE",
                    TimeSpan.FromSeconds(30),
                    TimeSpan.FromSeconds(1),
                    TimeSpan.FromSeconds(65_535),
                    "Time after which a dead connection is noticed."
                ),
            ConnectTimeout = settings.Duration(
                "MQTT_CONNECT_TIMEOUT",
                TimeSpan.FromSeconds(10),
                TimeSpan.FromSeconds(1),
                TimeSpan.FromMinutes(10),
                "Time limit for DNS, TCP, TLS and login together."
            ),
        };
        if (BrokerAddress.Problem(options.Host) is { } addressProblem)
            settings.Problem(addressProblem);
        if (options.Password is not null)
            options.UserName ??= defaultUser;
        var authority = settings.OptionalText(
            "MQTT_CA_FILE",
            "PEM file with the authority of the broker's certificate; else the machine's authorities."
        );
        var certificate = settings.OptionalText("MQTT_CLIENT_CERT_FILE", "PEM file with this client's certificate.");
        var key = settings.OptionalText("MQTT_CLIENT_KEY_FILE", "PEM file with the key of this client's certificate.");
        if (tls)
            options.Tls = new MqttTls
            {
                CaFile = authority,
                ClientCertificateFile = certificate,
                ClientKeyFile = key,
            };
        foreach (
            var (name, path) in new[] { ("MQTT_CA_FILE", authority), ("MQTT_CLIENT_CERT_FILE", certificate), ("MQTT_CLIENT_KEY_FILE", key) }
        )
        {
            if (path is null)
                continue;
            if (!tls)
                settings.Problem($"{name} is '{path}', but MQTT_TLS is not true; set MQTT_TLS=true or remove {name}.");
            else if (Unreadable(path) is { } reason)
                settings.Problem($"{name} is '{path}', which cannot be read ({reason}); correct the path or the file's permissions.");
        }
        if (key is not null && certificate is null)
            settings.Problem(
                "MQTT_CLIENT_KEY_FILE is set, but MQTT_CLIENT_CERT_FILE is not; set both, or only the certificate file if it holds the key "
                    + "too."
            );

        // Finds text that MQTT cannot carry. The ranges of the single settings are checked above.
        if (settings.Problems.Count == before)
        {
            foreach (var problem in options.Validate())
                settings.Problem(problem);
        }
        return options;
    }

    /// <summary>
    /// The installation's identity, 8 lower-case hexadecimal digits in the file <c>installation</c> beside the file that MQTT_PASSWORD_FILE
    /// names. It is part of the client ids. Kept with the credentials, it outlives the data volumes, so a service with a new volume finds
    /// its sessions again. Null if there is no such file.
    /// </summary>
    public static string? Installation(Settings settings)
    {
        if (settings.SecretFile("MQTT_PASSWORD") is not { } password || Path.GetDirectoryName(password) is not { } directory)
            return null;
        var path = Path.Combine(directory, "installation");
        try
        {
            var id = File.ReadAllText(path).Trim();
            if (id.Length == 8 && id.All(char.IsAsciiHexDigitLower))
                return id;
            settings.Problem(
                $"{path} holds '{(id.Length > 40 ? id[..40] + "…" : id)}' instead of the installation's identity, 8 hexadecimal digits; "
                    + "remove it, and start the service `setup` again."
            );
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            settings.Problem($"{path} cannot be read ({Settings.Reason(e)}); make it readable for the user this process runs as.");
        }
        return null;
    }

    static string? Unreadable(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Settings.Reason(e);
        }
    }
}
