using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using ThermalStreaming.Mappings;
using ThermalStreaming.Thermalctl;

namespace ThermalStreaming.Bench;

/// <summary>
/// What the shipped broker reads, for a plain process: <c>mosquitto/mosquitto.conf</c> with other paths and ports and the bound of
/// connections raised, users and rights as <c>setup</c> makes them, and a certificate. It differs from the container in three things: no
/// script watches it, nothing is logged, and its memory is not bounded.
/// </summary>
sealed class ShippedBrokerFiles
{
    const string Forwarder = "snowpipe-forwarder";

    /// <summary>The installation's identity, part of the forwarder's client ids.</summary>
    const string Installation = "0123abcd";

    /// <summary>Slots that may sign in, as many as SLOTS=1..4 opens.</summary>
    const int Slots = 4;

    readonly string directory;

    /// <param name="root">The repository.</param>
    /// <param name="place">The directory of the run.</param>
    /// <param name="devices">How many devices there are.</param>
    /// <param name="connections">How many of them get a user, which may publish for its share of the others too, as a gateway.</param>
    /// <exception cref="IOException">The configuration in the repository does not have what is replaced.</exception>
    public ShippedBrokerFiles(string root, string place, int devices, int connections)
    {
        directory = Directory.CreateDirectory(Path.Combine(place, "broker")).FullName;
        Configuration = Path.Combine(directory, "mosquitto.conf");
        WriteUsers(devices, connections);
        WriteCertificate();
        WriteConfiguration(File.ReadAllText(Path.Combine(root, "mosquitto/mosquitto.conf")), connections);
    }

    /// <summary>The file to start the broker with.</summary>
    public string Configuration { get; }

    /// <summary>The plain listener.</summary>
    public int Port { get; } = Stand.FreePort();

    /// <summary>The listener with TLS.</summary>
    public int TlsPort { get; } = Stand.FreePort();

    /// <summary>The certificate of that listener, which nobody signed but itself.</summary>
    public string CertificateFile => Path.Combine(directory, "server.crt");

    /// <summary>The password of every user.</summary>
    public string Password { get; } = PasswordHash.RandomPassword();

    /// <summary>By which the forwarder signs in.</summary>
    public (string Key, string Value)[] ForwarderSettings =>
        [("MQTT_USER", "{client}"), ("MQTT_PASSWORD_FILE", Path.Combine(directory, "password"))];

    void WriteUsers(int devices, int connections)
    {
        var hash = PasswordHash.Of(Password);
        var slots = Enumerable.Range(0, Slots).Select(slot => $"{Forwarder}-{Installation}-slot-{slot}").ToArray();
        List<BrokerUser> users =
        [
            new(Forwarder, Forwarder, [], slots, BrokerUser.FromCompose, hash),
            .. Enumerable
                .Range(0, connections)
                .Select(first => new BrokerUser(
                    DeviceMessages.DeviceId(first),
                    "device",
                    [.. Enumerable.Range(0, devices / connections).Select(share => DeviceMessages.DeviceId(first + share * connections))],
                    [],
                    BrokerUser.Enrolled,
                    hash
                )),
        ];
        var rules = JsonSerializer.Serialize(
            BrokerRules.Of(users, new AccessSettings(MappingSet.None, HomeAssistant: false)),
            BrokerJson.Readable.BrokerRules
        );
        // Nobody signs in as the users of the broker's own container.
        foreach (var own in new[] { "administrator", "health" })
            rules = rules
                .Replace($"@{own}-hash@", hash.Hash, StringComparison.Ordinal)
                .Replace($"@{own}-salt@", hash.Salt, StringComparison.Ordinal);
        File.WriteAllText(
            Path.Combine(directory, "dynamic-security.json"),
            rules.Replace("\"iterations\":0,", $"\"iterations\":{hash.Iterations},", StringComparison.Ordinal)
        );
        File.WriteAllText(Path.Combine(directory, "password"), Password);
        File.WriteAllText(Path.Combine(directory, "installation"), Installation);
    }

    /// <summary>The kind that <c>setup</c> makes: ECDSA, P-256.</summary>
    void WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(directory, "server.key"), key.ExportPkcs8PrivateKeyPem());
    }

    void WriteConfiguration(string shipped, int connections)
    {
        var plugin =
            Directory
                .GetDirectories("/usr/lib")
                .Prepend("/usr/lib")
                .Select(path => Path.Combine(path, "mosquitto_dynamic_security.so"))
                .FirstOrDefault(File.Exists)
            ?? throw new IOException("there is no mosquitto_dynamic_security.so: apt-get install mosquitto");
        var (data, auth) = (Directory.CreateDirectory(Path.Combine(directory, "data")).FullName, directory);
        var port = Port.ToString(CultureInfo.InvariantCulture);
        var tlsPort = TlsPort.ToString(CultureInfo.InvariantCulture);
        foreach (
            var (from, to) in new[]
            {
                ("/usr/lib/mosquitto_dynamic_security.so", plugin),
                ("/tmp/broker/", $"{directory}/"),
                ("/mosquitto/auth/", $"{auth}/"),
                ("/mosquitto/data/", $"{data}/"),
                ("listener 1883\n", $"listener {port} 127.0.0.1\n"),
                ("listener 8883\n", $"listener {tlsPort} 127.0.0.1\n"),
                ("listener 1880 ", $"listener {Stand.FreePort()} "),
                ("max_connections 400\n", $"max_connections {connections + 500}\n"),
                ("log_dest stderr\n", "log_dest none\n"),
            }
        )
        {
            if (!shipped.Contains(from, StringComparison.Ordinal))
                throw new IOException($"mosquitto/mosquitto.conf has no '{from.TrimEnd()}' that could be replaced");
            shipped = shipped.Replace(from, to, StringComparison.Ordinal);
        }
        // Started by root, it would change to a user who cannot read these files.
        File.WriteAllText(Configuration, (Environment.IsPrivilegedProcess ? "user root\n" : "") + shipped);
    }
}
