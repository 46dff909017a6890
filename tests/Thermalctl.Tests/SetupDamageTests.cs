using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>What <c>setup</c> does with volumes that a crash, a bad disk or a person left incomplete.</summary>
public sealed class SetupDamageTests : SetupTestBase
{
    /// <summary>
    /// Without a volume the image's own directory is there, on a file system that cannot be written to. A directory in the place of the
    /// file that <c>setup</c> tries to write stands for it here.
    /// </summary>
    [Fact]
    public void The_first_start_does_without_a_publisher()
    {
        Directory.CreateDirectory(directory.File("credentials/publisher/.mounted"));

        Make();

        Assert.Equal(
            ["cli", "s3-forwarder", "sensor-agent", "snowpipe-forwarder"],
            Directory.GetFiles(directory.File("auth/users")).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("authority/ca.key")]
    [InlineData("auth/ca.crt")]
    [InlineData("auth/users/my-esp")]
    [InlineData("auth/users/sensor-agent")]
    [InlineData("credentials/sensor-agent/password")]
    public void A_file_that_cannot_be_read_is_not_taken_for_one_that_is_missing(string file)
    {
        Make();
        Tools.Devices.Enroll("my-esp", renew: false);
        MakeUnreadable(file);
        var before = Snapshot(except: file);

        Assert.ThrowsAny<IOException>(Make);

        Assert.Equal(before, Snapshot(except: file));
        Assert.NotNull(new FileInfo(directory.File(file)).LinkTarget);
    }

    [Theory]
    [InlineData("setup")]
    [InlineData("setup keep --make")]
    public async Task It_makes_nothing_while_a_restore_is_half_done(string arguments)
    {
        RestoreMark.Set([directory.File("authority")], "some.backup");
        var before = Snapshot();

        var ended = await OperatorProcess.RunAsync(
            new Dictionary<string, string>
            {
                ["MOSQUITTO_AUTH"] = directory.File("auth"),
                ["MOSQUITTO_AUTHORITY"] = directory.File("authority"),
                ["MQTT_CREDENTIALS"] = directory.File("credentials"),
                ["CONTROL_TOKENS"] = directory.File("control"),
            },
            arguments.Split(' ')
        );

        Assert.Equal(ExitCodes.BadConfiguration, ended.ExitCode);
        Assert.Contains("a restore was interrupted", ended.Error, StringComparison.Ordinal);
        Assert.Contains("./up --restore FILE", ended.Error, StringComparison.Ordinal);
        Assert.Equal([.. before.Keys, "auth/lock"], Snapshot().Keys.Order(StringComparer.Ordinal).OrderBy(key => key == "auth/lock"));
    }

    [Fact]
    public void An_identity_that_cannot_be_read_comes_from_another_volume()
    {
        Make();
        var identity = Read("authority/installation");
        MakeUnreadable("authority/installation");
        MakeUnreadable("auth/installation");

        Make();

        Assert.Equal((identity, $"{identity}\n"), (Read("authority/installation"), Read("auth/installation")));
    }

    [Fact]
    public void An_identity_that_cannot_be_read_and_is_nowhere_else_is_not_replaced()
    {
        MakeUnreadable("authority/installation");

        Assert.ThrowsAny<IOException>(Make);

        Assert.NotNull(new FileInfo(directory.File("authority/installation")).LinkTarget);
    }

    [Theory]
    [InlineData("setup")]
    [InlineData("setup keep")]
    [InlineData("setup keep --make")]
    [InlineData("setup devices")]
    [InlineData("setup enroll other-esp")]
    [InlineData("setup rotate sensor-agent")]
    public async Task A_bad_disk_ends_the_program_with_a_sentence(string arguments)
    {
        Make();
        Tools.Devices.Enroll("my-esp", renew: false);
        MakeUnreadable("auth/users/my-esp");

        var (exitCode, log) = await RunProgramAsync(arguments);

        Assert.Equal(1, exitCode);
        Assert.StartsWith("failed: the files of setup cannot be read or written. ", log[^1], StringComparison.Ordinal);
        Assert.Contains(directory.File("auth/users/my-esp"), log[^1], StringComparison.Ordinal);
        Assert.EndsWith(" To fix it: look at the disk under Docker: ./check", log[^1], StringComparison.Ordinal);
        Assert.DoesNotContain(log, line => line.StartsWith("   at ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("half a file")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    public async Task A_key_of_the_authority_that_is_not_a_key_is_named(string content)
    {
        Make();
        await File.WriteAllTextAsync(directory.File("authority/ca.key"), content, TestContext.Current.CancellationToken);

        var (exitCode, log) = await RunProgramAsync("setup");

        Assert.Equal(1, exitCode);
        Assert.StartsWith($"failed: {directory.File("authority/ca.key")} is not a key. ", log[^1], StringComparison.Ordinal);
        Assert.EndsWith(" To fix it: look at the disk under Docker: ./check", log[^1], StringComparison.Ordinal);
        Assert.Equal(content, Read("authority/ca.key"));
    }

    /// <summary>A kill between the two files of a rotation, or a volume that came back from a backup, leaves them so.</summary>
    [Theory]
    [InlineData("another_password-of-32-characters")]
    [InlineData(null)]
    public void A_hash_that_is_not_of_the_service_s_password_is_replaced(string? password)
    {
        Make();
        if (password is null)
            File.WriteAllText(directory.File("auth/users/s3-forwarder"), Read("auth/users/snowpipe-forwarder"));
        else
            Tools.Services.WritePassword("s3-forwarder", password);
        var kept = Read("credentials/s3-forwarder/password");
        var others = Read("auth/users/snowpipe-forwarder");

        Make();

        Assert.Equal(kept, Read("credentials/s3-forwarder/password"));
        Assert.True(Verifies(Field(Read("auth/users/s3-forwarder"), "hash"), kept.TrimEnd('\n')));
        Assert.Contains(Field(Read("auth/users/s3-forwarder"), "hash").Split('$')[4], Read("auth/rules.json"), StringComparison.Ordinal);
        Assert.Equal(others, Read("auth/users/snowpipe-forwarder"));
    }

    [Theory]
    [InlineData("$7$101$not base64$aGFzaA==")]
    [InlineData("$7$101$c2FsdHNhbHRzYWx0$not base64")]
    [InlineData("$7$0$c2FsdHNhbHRzYWx0$aGFzaA==")]
    [InlineData("$7$-1$c2FsdHNhbHRzYWx0$aGFzaA==")]
    [InlineData("$7$2000000$c2FsdHNhbHRzYWx0$aGFzaA==")]
    [InlineData("$7$101$$")]
    public void A_hash_that_is_damaged_is_replaced(string hash)
    {
        Make();
        var user = Read("auth/users/s3-forwarder");
        File.WriteAllText(directory.File("auth/users/s3-forwarder"), user.Replace(Field(user, "hash"), hash, StringComparison.Ordinal));

        Make();

        Assert.True(Verifies(Field(Read("auth/users/s3-forwarder"), "hash"), Read("credentials/s3-forwarder/password").TrimEnd('\n')));
    }

    [Fact]
    public void A_certificate_of_an_authority_whose_key_is_lost_is_replaced()
    {
        Make();
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(directory.File("authority/ca.key"), other.ExportPkcs8PrivateKeyPem());

        Make();

        using var authority = X509CertificateLoader.LoadCertificateFromFile(directory.File("auth/ca.crt"));
        Assert.Equal(other.ExportSubjectPublicKeyInfo(), authority.PublicKey.ExportSubjectPublicKeyInfo());
        AssertServerIsTrusted();
    }

    /// <summary>As a kill leaves it after a new authority was written.</summary>
    [Fact]
    public void A_certificate_that_another_authority_signed_is_replaced()
    {
        Make();
        var (certificate, key) = (Read("auth/server.crt"), Read("auth/server.key"));
        File.Delete(directory.File("authority/ca.key"));
        Make();
        File.WriteAllText(directory.File("auth/server.crt"), certificate);
        File.WriteAllText(directory.File("auth/server.key"), key);

        Make();

        AssertServerIsTrusted();
    }

    [Fact]
    public void A_clock_before_the_authority_s_start_does_not_stop_the_certificate()
    {
        Make();
        File.Delete(directory.File("auth/server.crt"));
        clock.Advance(TimeSpan.FromDays(-3));

        Make();

        AssertServerIsTrusted(daysLater: 4);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_server_key_that_is_missing_or_of_another_certificate_is_replaced(bool isOther)
    {
        Make();
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (isOther)
            File.WriteAllText(directory.File("auth/server.key"), other.ExportPkcs8PrivateKeyPem());
        else
            File.Delete(directory.File("auth/server.key"));

        Make();

        AssertServerIsTrusted();
    }

    [Fact]
    public void A_disk_that_takes_the_key_and_not_the_certificate_leaves_both_as_they_were()
    {
        Make();
        var before = (Read("auth/server.key"), Read("auth/server.crt"));
        Directory.CreateDirectory(directory.File("auth/server.crt.new"));
        hostName = "attic";

        Assert.ThrowsAny<UnauthorizedAccessException>(Make);

        Assert.Equal(before, (Read("auth/server.key"), Read("auth/server.crt")));
    }

    /// <summary>The key belongs to the certificate, and the authority signed it.</summary>
    void AssertServerIsTrusted(int daysLater = 1)
    {
        using var authority = X509CertificateLoader.LoadCertificateFromFile(directory.File("auth/ca.crt"));
        using var certificate = X509Certificate2.CreateFromPemFile(directory.File("auth/server.crt"), directory.File("auth/server.key"));
        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                VerificationTime = clock.GetUtcNow().AddDays(daysLater).UtcDateTime,
            },
        };
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        Assert.True(chain.Build(certificate), string.Join(' ', chain.ChainStatus.Select(status => status.StatusInformation)));
    }

    async Task<(int ExitCode, IReadOnlyList<string> Log)> RunProgramAsync(string arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.Thermalctl.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments.Split(' ')])
        {
            RedirectStandardError = true,
            Environment =
            {
                ["MOSQUITTO_AUTH"] = directory.File("auth"),
                ["MOSQUITTO_AUTHORITY"] = directory.File("authority"),
                ["MQTT_CREDENTIALS"] = directory.File("credentials"),
                ["DEVICE_ID"] = "pi",
            },
        };
        using var process = Process.Start(start)!;
        var log = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, log.TrimEnd('\n').Split('\n'));
    }

    /// <summary>The kernel refuses to follow a link to itself. That stops root too, as a bad disk does.</summary>
    void MakeUnreadable(string file)
    {
        File.Delete(directory.File(file));
        File.CreateSymbolicLink(directory.File(file), directory.File(file));
    }
}
