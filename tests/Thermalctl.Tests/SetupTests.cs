// The modes of files are what some of these tests are about; there is no other system than Linux.
#pragma warning disable CA1416
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>
/// What <c>setup</c> makes and keeps, file by file. What the broker makes of it is in <c>tests/Mqtt.Tests/ShippedBrokerTests.cs</c>.
/// </summary>
public sealed class SetupTests : SetupTestBase
{
    const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    const UnixFileMode All = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Where nothing runs before the other containers, as in a swarm.</summary>
    [Fact]
    public async Task The_keeper_makes_what_is_missing_if_it_is_told_to()
    {
        foreach (var program in new[] { "snowpipe-forwarder", "cli" })
            Directory.CreateDirectory(directory.File($"control/{program}"));
        using var keeper = OperatorProcess.Start(
            new Dictionary<string, string>
            {
                ["MOSQUITTO_AUTH"] = directory.File("auth"),
                ["MOSQUITTO_AUTHORITY"] = directory.File("authority"),
                ["MQTT_CREDENTIALS"] = directory.File("credentials"),
                ["CONTROL_TOKENS"] = directory.File("control"),
            },
            "setup",
            "keep",
            "--make"
        );

        await keeper.SawAsync("made a control token");
        await keeper.SawAsync("made a certificate");
        keeper.Interrupt();
        await keeper.EndAsync();

        Assert.True(File.Exists(directory.File("credentials/snowpipe-forwarder/password")));
        Assert.Equal(Read("authority/control-token"), Read("control/snowpipe-forwarder/token"));
    }

    [Fact]
    public void It_makes_users_passwords_identity_and_certificates_with_the_modes_that_their_readers_need()
    {
        Make();

        Assert.Equal(
            [
                "auth/access",
                "auth/ca.crt",
                "auth/installation",
                "auth/mappings.yaml",
                "auth/rules.json",
                "auth/server.crt",
                "auth/server.key",
                "auth/server.names",
                "auth/subscriptions",
                "auth/users/cli",
                "auth/users/publisher",
                "auth/users/s3-forwarder",
                "auth/users/sensor-agent",
                "auth/users/snowpipe-forwarder",
                "authority/ca.key",
                "authority/installation",
                "credentials/cli/installation",
                "credentials/cli/password",
                "credentials/publisher/installation",
                "credentials/publisher/password",
                "credentials/s3-forwarder/installation",
                "credentials/s3-forwarder/password",
                "credentials/sensor-agent/installation",
                "credentials/sensor-agent/password",
                "credentials/snowpipe-forwarder/installation",
                "credentials/snowpipe-forwarder/password",
            ],
            Snapshot().Keys.Order(StringComparer.Ordinal)
        );
        foreach (var name in Snapshot().Keys)
            Assert.Equal(
                name is "auth/ca.crt" || name.StartsWith("credentials/", StringComparison.Ordinal) ? All : Owner,
                File.GetUnixFileMode(directory.File(name))
            );
        var identity = Read("authority/installation");
        Assert.Matches("^[0-9a-f]{8}$", identity);
        Assert.Equal($"{identity}\n", Read("credentials/s3-forwarder/installation"));
        Assert.Matches("^[A-Za-z0-9_-]{32}\n$", Read("credentials/sensor-agent/password"));
        Assert.Equal(5, output.ToString().Split('\n').Count(line => line.StartsWith("made a password for ", StringComparison.Ordinal)));

        var agent = Read("auth/users/sensor-agent");
        Assert.Equal($"kind=device\ndevices=pi\nclients=sensor-agent/check\norigin=compose\nhash={Field(agent, "hash")}\n", agent);
        Assert.True(Verifies(Field(agent, "hash"), Read("credentials/sensor-agent/password").TrimEnd('\n')));
        var forwarder = Read("auth/users/s3-forwarder");
        Assert.StartsWith(
            $"kind=s3-forwarder\ndevices=\nclients=s3-forwarder/check s3-forwarder-{identity}-slot-0 s3-forwarder-{identity}-slot-1 ",
            forwarder,
            StringComparison.Ordinal
        );
        Assert.EndsWith($" s3-forwarder-{identity}-slot-63", Field(forwarder, "clients"), StringComparison.Ordinal);
        Assert.Equal(
            "publisher/check publisher/2 publisher/3 publisher/4",
            string.Join(' ', Field(Read("auth/users/publisher"), "clients").Split(' ').Take(4))
        );
        Assert.Equal("demo", Field(Read("auth/users/publisher"), "devices"));
    }

    [Fact]
    public void A_second_run_changes_nothing()
    {
        Make();
        var before = Snapshot();

        Make();

        Assert.Equal(before, Snapshot());
    }

    /// <summary>The files are those that the shell scripts of earlier versions made, with openssl and mosquitto_passwd.</summary>
    [Fact]
    public void An_installation_of_an_earlier_version_keeps_its_identity_passwords_and_certificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Thermal Streaming raspberrypi", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(clock.GetUtcNow(), clock.GetUtcNow().AddDays(7300));
        File.WriteAllText(directory.File("authority/ca.key"), key.ExportPkcs8PrivateKeyPem() + "\n");
        File.WriteAllText(directory.File("authority/installation"), "0123abcd");
        File.WriteAllText(directory.File("auth/ca.crt"), authority.ExportCertificatePem() + "\n");
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=raspberrypi", own, HashAlgorithmName.SHA256).Create(
            authority,
            clock.GetUtcNow(),
            clock.GetUtcNow().AddDays(820),
            [1]
        );
        File.WriteAllText(directory.File("auth/server.key"), own.ExportPkcs8PrivateKeyPem() + "\n");
        File.WriteAllText(directory.File("auth/server.crt"), certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(
            directory.File("auth/server.names"),
            "DNS:mosquitto,DNS:localhost,IP:127.0.0.1,DNS:raspberrypi,DNS:raspberrypi.local"
        );
        File.WriteAllText(directory.File("credentials/sensor-agent/password"), "old_password-of-32-characters__x\n");
        Directory.CreateDirectory(directory.File("auth/users"));
        const string Hash = "$7$101$c2FsdHNhbHRzYWx0$aGFzaA==";
        File.WriteAllText(
            directory.File("auth/users/sensor-agent"),
            // The hash is what mosquitto_passwd made of the password.
            "kind=device\ndevices=pi\nclients=sensor-agent/check\norigin=compose\nhash="
                + "$7$101$c3pc3YkdirryQfcB$+Au3IdOJV1eVDNTSU2TPu8Xc7hxjjQOxNYQ5q2ShqTR+RZpUCsxsB6Qrw8AgQcKgao7VJqiv8EoamKn8oh3stQ==\n"
        );
        File.WriteAllText(
            directory.File("auth/users/my-esp"),
            $"kind=device\ndevices=my-esp\nclients=my-esp/check\norigin=enrolled\nhash={Hash}\n"
        );
        var before = Snapshot();

        Make();

        Assert.All(before, file => Assert.Equal(file.Value, Snapshot()[file.Key]));
        var logins = JsonNode.Parse(Read("auth/rules.json"))!["clients"]!.AsArray();
        Assert.Equal(
            ("aGFzaA==", "c2FsdHNhbHRzYWx0", 101, "my-esp"),
            logins
                .Where(login => (string)login!["username"]! == "my-esp/check")
                .Select(login =>
                    (
                        (string)login!["password"]!,
                        (string)login["salt"]!,
                        (int)login["iterations"]!,
                        (string)login["roles"]![0]!["rolename"]!
                    )
                )
                .Single()
        );
    }

    [Fact]
    public void The_rules_leave_marks_for_the_broker_s_own_users_alone()
    {
        Make();

        var rules = JsonNode.Parse(Read("auth/rules.json"))!;
        Assert.Equal(
            """{"publishClientSend":false,"publishClientReceive":false,"subscribe":false,"unsubscribe":true}""",
            rules["defaultACLAccess"]!.ToJsonString()
        );
        var marked = rules["clients"]!.AsArray().Where(login => (int)login!["iterations"]! == 0).ToList();
        Assert.Equal(
            ["administrator @administrator-hash@ @administrator-salt@", "health @health-hash@ @health-salt@"],
            marked.Select(login => $"{login!["username"]} {login["password"]} {login["salt"]}")
        );
        Assert.Equal(2 + (2 * 66) + 2 + 17 + 33, rules["clients"]!.AsArray().Count);
        Assert.Equal(
            ["administrator", "health", "cli", "publisher", "s3-forwarder", "sensor-agent", "snowpipe-forwarder"],
            rules["roles"]!.AsArray().Select(role => (string)role!["rolename"]!)
        );
    }

    [Fact]
    public void The_password_of_publisher_follows_its_setting_and_its_devices_theirs()
    {
        Make();
        settings["MQTT_PUBLISHER_PASSWORD"] = "pa$$ \"word\" ü";
        settings["MQTT_PUBLISHER_DEVICES"] = "demo,attic";

        Make();

        Assert.Equal("pa$$ \"word\" ü\n", Read("credentials/publisher/password"));
        Assert.True(Verifies(Field(Read("auth/users/publisher"), "hash"), "pa$$ \"word\" ü"));
        Assert.Equal("demo,attic", Field(Read("auth/users/publisher"), "devices"));
    }

    [Fact]
    public void A_service_whose_volume_is_gone_loses_its_user()
    {
        Make();
        Directory.Delete(directory.File("credentials/publisher"), recursive: true);
        // In the container, the image's own directory is there, on a file system that cannot be written to. A file stands for it here.
        Directory.CreateDirectory(directory.File("credentials/publisher/.mounted"));

        Make();

        Assert.False(File.Exists(directory.File("auth/users/publisher")));
        Assert.DoesNotContain("publisher", Read("auth/rules.json"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("raspberrypi", "raspberrypi")]
    [InlineData("my pi#1+a/b$c]", "my-pi-1-a-b-c-")]
    public void Without_a_device_id_the_agent_is_called_like_the_machine(string host, string device)
    {
        settings.Clear();
        hostName = host;

        Tools.Services.Make();

        Assert.Equal(device, Field(Read("auth/users/sensor-agent"), "devices"));
    }

    [Fact]
    public void The_agent_s_user_follows_a_new_host_name()
    {
        settings.Clear();
        Tools.Services.Make();
        var hash = Field(Read("auth/users/sensor-agent"), "hash");
        hostName = "attic";

        Tools.Services.FollowHostName();

        Assert.Equal(("attic", hash), (Field(Read("auth/users/sensor-agent"), "devices"), Field(Read("auth/users/sensor-agent"), "hash")));
        Assert.Contains("telemetry/v1/attic/thermal", Read("auth/rules.json"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_crash_left_beside_a_file_is_no_obstacle()
    {
        File.WriteAllText(directory.File("credentials/sensor-agent/password.new"), "half");
        File.SetUnixFileMode(directory.File("credentials/sensor-agent/password.new"), UnixFileMode.UserRead);

        Make();

        Assert.False(File.Exists(directory.File("credentials/sensor-agent/password.new")));
        Assert.Matches("^[A-Za-z0-9_-]{32}\n$", Read("credentials/sensor-agent/password"));
    }

    [Fact]
    public void What_a_crash_left_of_a_user_is_no_user()
    {
        Make();
        File.WriteAllText(directory.File("auth/users.new"), Read("auth/users/sensor-agent"));
        File.Delete(directory.File("auth/users/sensor-agent"));

        Make();

        Assert.Equal(
            ["cli", "publisher", "s3-forwarder", "sensor-agent", "snowpipe-forwarder"],
            Directory.GetFiles(directory.File("auth/users")).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.False(File.Exists(directory.File("auth/users.new")));
    }

    [Fact]
    public async Task One_process_at_a_time_changes_the_files()
    {
        var first = SetupLock.Take(Tools.Places);
        var second = Task.Run(() => SetupLock.Take(Tools.Places));
        Assert.False(second.IsCompleted);
        Assert.NotEqual(second, await Task.WhenAny(second, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System)));

        first.Dispose();

        (await second).Dispose();
    }

    [Theory]
    [InlineData("auth/installation")]
    [InlineData("credentials/s3-forwarder/installation")]
    public void The_identity_comes_back_from_whichever_volume_has_it(string kept)
    {
        File.WriteAllText(directory.File(kept), "0123abcd\n");
        File.WriteAllText(directory.File("authority/installation"), "not one");

        Make();

        Assert.Equal("0123abcd", Read("authority/installation"));
        Assert.StartsWith(
            $"restored the identity of this installation from {directory.File(kept)}: ",
            errors.ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_certificate_has_the_machine_s_names_and_its_authority_s_signature()
    {
        settings["MQTT_LAN_NAMES"] = "pi.example.org, 192.168.0.7 fd00::7";

        Make();

        using var authority = X509CertificateLoader.LoadCertificateFromFile(directory.File("auth/ca.crt"));
        using var certificate = X509Certificate2.CreateFromPemFile(directory.File("auth/server.crt"), directory.File("auth/server.key"));
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal(["mosquitto", "localhost", "raspberrypi", "raspberrypi.local", "pi.example.org"], names.EnumerateDnsNames());
        Assert.Equal(["127.0.0.1", "192.168.0.7", "fd00::7"], names.EnumerateIPAddresses().Select(address => address.ToString()));
        Assert.Equal(
            "1.3.6.1.5.5.7.3.1",
            certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages[0].Value
        );
        Assert.Equal(("CN=Thermal Streaming raspberrypi", "CN=raspberrypi"), (authority.Subject, certificate.Subject));
        Assert.True(authority.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                VerificationTime = clock.GetUtcNow().AddDays(1).UtcDateTime,
            },
        };
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        Assert.True(chain.Build(certificate), string.Join(' ', chain.ChainStatus.Select(status => status.StatusInformation)));
        Assert.Equal(
            (820, 7300),
            ((int)(certificate.NotAfter - certificate.NotBefore).TotalDays, (int)(authority.NotAfter - authority.NotBefore).TotalDays)
        );
    }

    [Fact]
    public void The_certificate_is_renewed_a_month_before_its_end_and_for_other_names_and_the_authority_stays()
    {
        Make();
        var (authority, first) = (Read("auth/ca.crt"), Read("auth/server.crt"));
        clock.Advance(TimeSpan.FromDays(789));
        Make();
        Assert.Equal(first, Read("auth/server.crt"));

        clock.Advance(TimeSpan.FromDays(2));
        Assert.True(Tools.Certificates.AreValid);
        Make();
        var second = Read("auth/server.crt");
        Assert.NotEqual(first, second);
        hostName = "attic";
        Make();
        Assert.NotEqual(second, Read("auth/server.crt"));
        Assert.Equal(authority, Read("auth/ca.crt"));

        clock.Advance(TimeSpan.FromDays(821));
        Assert.False(Tools.Certificates.AreValid);
    }

    [Fact]
    public void With_the_key_alone_the_authority_is_made_again_for_devices_that_trust_the_old_one()
    {
        Make();
        using var old = X509CertificateLoader.LoadCertificateFromFile(directory.File("auth/ca.crt"));
        Directory.Delete(directory.File("auth"), recursive: true);
        Directory.CreateDirectory(directory.File("auth"));

        Make();

        using var certificate = X509CertificateLoader.LoadCertificateFromFile(directory.File("auth/server.crt"));
        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                VerificationTime = clock.GetUtcNow().AddDays(1).UtcDateTime,
            },
        };
        chain.ChainPolicy.CustomTrustStore.Add(old);
        Assert.True(chain.Build(certificate), string.Join(' ', chain.ChainStatus.Select(status => status.StatusInformation)));
    }

    [Fact]
    public void A_name_that_cannot_be_in_a_certificate_is_named()
    {
        settings["MQTT_LAN_NAMES"] = $"fine,{new string('x', 64)}.local";

        Assert.Contains(
            "cannot be a name in the broker's certificate",
            Assert.Throws<FailureException>(Make).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_device_is_enrolled_renewed_listed_and_revoked()
    {
        Make();
        output.GetStringBuilder().Clear();

        Tools.Devices.Enroll("my-esp", renew: false);
        var said = output.ToString().Split('\n');
        Assert.True(Verifies(Field(Read("auth/users/my-esp"), "hash"), said[0]));
        Assert.Equal(
            ["deleteClient", "deleteClient", "deleteRole", "createRole", "createClient", "createClient"],
            JsonNode.Parse(said[1])!["commands"]!.AsArray().Select(command => (string)command!["command"]!)
        );
        Assert.Contains("telemetry/v1/my-esp/status", Read("auth/rules.json"), StringComparison.Ordinal);
        Assert.Equal(3, Assert.Throws<FailureException>(() => Tools.Devices.Enroll("my-esp", renew: false)).ExitCode);
        Tools.Devices.Enroll("my-esp", renew: true);
        Assert.NotEqual(said[0], output.ToString().Split('\n')[2]);

        output.GetStringBuilder().Clear();
        Tools.Devices.List();
        Assert.Equal("my-esp\n", output.ToString());
        Tools.Devices.Revoke("my-esp");
        Assert.DoesNotContain("my-esp", Read("auth/rules.json"), StringComparison.Ordinal);
        Assert.Equal(3, Assert.Throws<FailureException>(() => Tools.Devices.Revoke("my-esp")).ExitCode);
    }

    [Fact]
    public void Mappings_give_subscriptions_and_topics_and_the_keeper_goes_on_without_them()
    {
        settings["MAPPINGS"] = "tasmota,statestream";
        Make();
        Tools.Devices.Enroll("garden", renew: false);
        Tools.Devices.Enroll("home", renew: false, ["statestream"]);

        Assert.Equal(
            "snowpipe-forwarder $share/snowpipe-forwarder/telemetry/v1/+/thermal\n"
                + "snowpipe-forwarder $share/snowpipe-forwarder/homeassistant/sensor/+/state\n"
                + "snowpipe-forwarder $share/snowpipe-forwarder/homeassistant_state/sensor/+/state\n"
                + "snowpipe-forwarder $share/snowpipe-forwarder/tele/+/SENSOR\n"
                + "s3-forwarder $share/s3-forwarder/telemetry/v1/+/inverter\n",
            Read("auth/subscriptions")
        );
        Assert.EndsWith("\ngateways=statestream\n", Read("auth/users/home"), StringComparison.Ordinal);
        Assert.DoesNotContain("gateways", Read("auth/users/garden"), StringComparison.Ordinal);
        Assert.Contains("tele/garden/SENSOR", Read("auth/rules.json"), StringComparison.Ordinal);
        Assert.Equal(
            "there is no gateway 'tasmota'. The devices of that mapping publish for themselves, each under its own name, and need no "
                + "--mapping. To fix it: add the mapping to MAPPINGS in .env and ./up --no-build, or leave --mapping out; docs/devices.md",
            Assert.Throws<FailureException>(() => Tools.Devices.Enroll("x", renew: false, ["tasmota"])).Message
        );

        // Without the mapping the rights are gone, and come back with it.
        settings["MAPPINGS"] = "";
        Make();
        Assert.DoesNotContain("SENSOR", Read("auth/rules.json"), StringComparison.Ordinal);
        settings["MAPPINGS"] = "statestream";
        Make();
        Assert.Contains("homeassistant_state/sensor/+/state", Read("auth/rules.json"), StringComparison.Ordinal);

        settings["MAPPINGS"] = "hue";
        var before = Read("auth/rules.json");
        Assert.Contains("'hue', which is not ready-made", Assert.Throws<ConfigurationException>(Make).Message, StringComparison.Ordinal);
        Assert.Equal(before, Read("auth/rules.json"));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".x")]
    [InlineData("-x")]
    [InlineData("../x")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("a\"b")]
    [InlineData("ü")]
    [InlineData("administrator")]
    [InlineData("health")]
    [InlineData("sensor-agent")]
    public void A_name_that_cannot_be_a_device_s_is_refused(string name)
    {
        Make();
        var before = Snapshot();

        Assert.Equal(1, Assert.Throws<FailureException>(() => Tools.Devices.Enroll(name, renew: true)).ExitCode);
        Assert.Throws<FailureException>(() => Tools.Devices.Revoke(name));

        Assert.Equal(before, Snapshot());
    }

    [Fact]
    public void A_service_s_password_is_rotated_for_each_of_its_logins()
    {
        Make();
        var old = Read("credentials/s3-forwarder/password");
        output.GetStringBuilder().Clear();

        Tools.Devices.Rotate("s3-forwarder");

        var said = output.ToString().Split('\n');
        Assert.NotEqual(old, Read("credentials/s3-forwarder/password"));
        Assert.Equal(said[0], Read("credentials/s3-forwarder/password").TrimEnd('\n'));
        Assert.True(Verifies(Field(Read("auth/users/s3-forwarder"), "hash"), said[0]));
        var commands = JsonNode.Parse(said[1])!["commands"]!.AsArray();
        Assert.Equal(66, commands.Count);
        Assert.All(
            commands,
            command => Assert.Equal(("setClientPassword", said[0]), ((string)command!["command"]!, (string)command["password"]!))
        );
        Assert.Equal(3, Assert.Throws<FailureException>(() => Tools.Devices.Rotate("nobody")).ExitCode);
        settings["MQTT_PUBLISHER_PASSWORD"] = "set";
        Assert.Equal(4, Assert.Throws<FailureException>(() => Tools.Devices.Rotate("publisher")).ExitCode);
    }
}
