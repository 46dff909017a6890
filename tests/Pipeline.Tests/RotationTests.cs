using System.Security.Cryptography;
using System.Text.RegularExpressions;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;
using static ThermalStreaming.Pipeline.Tests.PipelineProject;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// "Rotating keys and passwords" of docs/operations.md, by its commands, while readings flow. Nothing is restarted, and each reading
/// arrives once.
/// </summary>
public sealed partial class RotationTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_new_key_pair_for_snowflake_costs_no_reading_and_no_restart()
    {
        using var secrets = new TempDirectory();
        using var registered = new TempDirectory();
        var file = secrets.File("rsa_key.p8");
        using (var first = RSA.Create(2048))
        {
            await File.WriteAllTextAsync(file, first.ExportPkcs8PrivateKeyPem());
            await File.WriteAllTextAsync(registered.File("THERMAL_STREAMING_USER.pub"), first.ExportSubjectPublicKeyInfoPem());
        }
        // The container's user reads them. The directory belongs to an ordinary user, as after git clone: in a container, root without
        // capabilities cannot write to it.
        await UpCopy.BashAsync(
            "/",
            $"chmod 755 '{registered.Path}'; chmod 644 '{registered.Path}'/* '{file}'; chown 1654 '{file}' || true; "
                + $"chown 1000:1000 '{secrets.Path}' || true"
        );
        await using var project = await PipelineProject.StartAsync(
            new Dictionary<string, string> { ["SNOWFLAKE_PRIVATE_KEY_PATH"] = file, ["TEST_PUBLIC_KEYS"] = registered.Path },
            "compose.key-file.yaml",
            Broker,
            Snowflake,
            SnowpipeForwarder
        );

        await Scenario.RunAsync(
            project,
            output,
            "a new key pair for Snowflake",
            async _ =>
            {
                await using var fleet = Fleet.Publish(project, "key", kinds: ReadingKind.Thermal);
                await fleet.MoreAsync(50);
                var before = await RunsAsync(project);

                var (_, owner) = await UpCopy.BashAsync(secrets.Path, "stat -c %u:%g .");
                var made = (
                    await project.ComposeAsync([
                        "run",
                        "--rm",
                        "--no-deps",
                        "-u",
                        owner.Trim(),
                        "-v",
                        $"{secrets.Path}:/new",
                        SnowpipeForwarder,
                        "keygen",
                        "--output",
                        "/new/rsa_key.new.p8",
                    ])
                )
                    .OrThrow()
                    .Output;
                // ALTER USER … SET RSA_PUBLIC_KEY_2
                await File.WriteAllTextAsync(registered.File("THERMAL_STREAMING_USER_2.pub"), PublicKey().Match(made).Groups[1].Value);
                await fleet.MoreAsync(50);
                await UpCopy.BashAsync(secrets.Path, "cat rsa_key.new.p8 > rsa_key.p8 && rm rsa_key.new.p8");
                await fleet.MoreAsync(50);
                // ALTER USER … UNSET RSA_PUBLIC_KEY
                File.Delete(registered.File("THERMAL_STREAMING_USER.pub"));
                var removed = TimeProvider.System.GetUtcNow();
                // Tokens last 10 s: whatever is delivered later was signed for with the new key.
                await Until.TrueAsync(
                    "rows arrive long after the old key's end",
                    TimeSpan.FromMinutes(2),
                    async () =>
                        (await project.ThermalRowsAsync()).Any(row =>
                            row.GetProperty("forwarded_at").GetDateTimeOffset() > removed + TimeSpan.FromSeconds(25)
                        )
                );

                var check = (await project.ExecuteAsync(SnowpipeForwarder, "check")).OrThrow().Text;
                Assert.Contains(Fingerprint().Match(made).Groups[1].Value, check, StringComparison.Ordinal);
                await project.ExpectExactlyOnceAsync([fleet]);
                Assert.Equal(before, await RunsAsync(project));
            }
        );
    }

    [Fact]
    public async Task New_passwords_for_every_user_of_the_broker_cost_no_reading_and_no_restart()
    {
        await using var project = await PipelineProject.StartAsync();
        using var copy = new UpCopy();

        await Scenario.RunAsync(
            project,
            output,
            "new passwords at the broker",
            async _ =>
            {
                await using var fleet = Fleet.Publish(project, "password");
                using var passwords = new TempDirectory();
                await File.WriteAllTextAsync(passwords.File("esp"), PasswordOf(await UpAsync(project, copy, "--enroll", "rotating-esp")));
                await using var device = Fleet.PublishAs(project, "rotating-esp", passwords.File("esp"));
                await fleet.MoreAsync(30);
                await device.MoreAsync(10);
                var before = await RunsAsync(project);

                foreach (var user in new[] { Agent, SnowpipeForwarder, S3Forwarder })
                {
                    var old = await PasswordAsync(project, user);
                    Assert.Contains(
                        $"{user} is connected; no reading was lost",
                        await UpAsync(project, copy, "--rotate-password", user),
                        StringComparison.Ordinal
                    );
                    Assert.NotEqual(old, await PasswordAsync(project, user));
                    Assert.NotEqual(0, await LogInAsync(project, user, old));
                    await fleet.MoreAsync(30);
                }
                await File.WriteAllTextAsync(
                    passwords.File("esp"),
                    PasswordOf(await UpAsync(project, copy, "--enroll", "rotating-esp", "--renew"))
                );
                await device.MoreAsync(30);
                // The fleet has the old password of publisher, so it ends first; the second agent reads the new one.
                await project.ExpectExactlyOnceAsync([fleet, device], TimeSpan.FromMinutes(3));
                // It repeats what it has sent after each connection loss: nobody's rotation ended anybody else's connection.
                Assert.Equal(0, fleet.Sent.Again);
                Assert.Contains(
                    "accepts the new password",
                    await UpAsync(project, copy, "--rotate-password", "publisher"),
                    StringComparison.Ordinal
                );
                Assert.NotEqual(0, await LogInAsync(project, "publisher", project.PublisherPassword));
                var connected = await project.FigureAsync(SecondAgent, "readings_published");
                await Until.TrueAsync(
                    "the second agent publishes with the new password",
                    TimeSpan.FromMinutes(1),
                    async () => await project.FigureAsync(SecondAgent, "readings_published") > connected + 20
                );

                await project.ReadyAsync();
                await new AgentDelivery(project).ExpectExactlyOnceAsync(atLeast: 40);
                Assert.Equal(before, await RunsAsync(project));
            }
        );
    }

    [GeneratedRegex("RSA_PUBLIC_KEY='([^']+)'")]
    private static partial Regex PublicKey();

    [GeneratedRegex(@"Fingerprint\s+(SHA256:\S+)")]
    private static partial Regex Fingerprint();

    [GeneratedRegex(@"^\s+password\s+(\S+)$", RegexOptions.Multiline)]
    private static partial Regex Password();

    static string PasswordOf(string said) =>
        Password().Match(said) is { Success: true } match
            ? match.Groups[1].Value
            : throw new InvalidOperationException($"There is no password in: {said}");

    static async Task<string> PasswordAsync(PipelineProject project, string user) => await project.CredentialAsync(user, "password");

    /// <returns>The exit code of a login.</returns>
    static async Task<int> LogInAsync(PipelineProject project, string user, string password) =>
        (
            await project.ComposeAsync([
                "exec",
                "-T",
                Broker,
                "mosquitto_pub",
                "-h",
                "127.0.0.1",
                "-V",
                "5",
                "-u",
                $"{user}/check",
                "-P",
                password,
                "-t",
                "x",
                "-n",
            ])
        ).ExitCode;

    /// <summary>When each container that should stay up was started, and how often.</summary>
    static async Task<string> RunsAsync(PipelineProject project)
    {
        var ids = (
            await Docker.RunAsync(
                "ps",
                "--no-trunc",
                "--filter",
                $"label=com.docker.compose.project={project.Name}",
                "--filter",
                "label=com.docker.compose.oneoff=False",
                "--format",
                "{{.ID}}"
            )
        ).Split('\n');
        return await Docker.RunAsync(["inspect", "--format", "{{.Name}} {{.State.StartedAt}} {{.RestartCount}}", .. ids.Order()]);
    }

    static async Task<string> UpAsync(PipelineProject project, UpCopy copy, params string[] arguments)
    {
        // Without MQTT_PUBLISHER_PASSWORD: where it is set, ./up says that it has to be changed there.
        var (code, text) = await copy.TryAsync(project, ["MQTT_PUBLISHER_PASSWORD"], arguments);
        return code == 0 ? text : throw new InvalidOperationException($"./up {string.Join(' ', arguments)} ended with {code}: {text}");
    }
}
