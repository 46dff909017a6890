using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using k8s.Models;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>
/// The programs of a cell, started as the manifest says, find their identity, passwords and settings. No cluster runs here.
/// </summary>
public sealed class CellStartTests : IDisposable
{
    static readonly TimeSpan patience = TimeSpan.FromMinutes(2);

    readonly Pod cells = Installations.Named("production").Pods[0];
    readonly SimulatedNode node;

    public CellStartTests() => node = new SimulatedNode(cells);

    public void Dispose() => node.Dispose();

    [Fact]
    public async Task Setup_makes_what_the_mounts_of_the_others_show()
    {
        await SetUpAsync();

        foreach (var service in new[] { "snowpipe-forwarder", "s3-forwarder", "console", "cli" })
            Assert.True(File.Exists(node.Volume($"identity/credentials/{service}/password")), service);
        foreach (var service in new[] { "snowpipe-forwarder", "s3-forwarder", "cli" })
            Assert.Equal(
                File.ReadAllText(node.Volume("identity/authority/control-token")),
                File.ReadAllText(node.Volume($"identity/control/{service}/token"))
            );
        // There is no agent in the pod, and nobody to try things out.
        Assert.Equal(
            ["cli", "console", "s3-forwarder", "snowpipe-forwarder"],
            Directory.GetFiles(node.Volume("identity/auth/users")).Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task The_certificate_has_every_name_by_which_the_broker_is_called()
    {
        await SetUpAsync();

        using var certificate = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(node.Volume("identity/auth/server.crt")));
        foreach (
            var name in new[]
            {
                "cell-0.cells",
                "cell-0.cells.thermal-streaming",
                "cell-0.cells.thermal-streaming.svc",
                "cell-0.cells.thermal-streaming.svc.cluster.local",
                "cell-0.thermal.example.com",
            }
        )
            Assert.True(certificate.MatchesHostname(name), name);
        // What an agent inside of the cluster calls it.
        var agents = Installations.Named("agents").Pods[0];
        var host = ContainerEnvironment.Of(agents, agents.Named("sensor-agent"))["MQTT_HOST"];
        Assert.True(certificate.MatchesHostname(host.Replace("{cell}", "0", StringComparison.Ordinal)), host);
    }

    [Fact]
    public async Task A_second_start_keeps_identity_passwords_and_certificate()
    {
        await SetUpAsync();
        var before = Everything();

        await SetUpAsync();

        Assert.Equal(before, Everything());
    }

    /// <summary>Nothing answers where the broker, Snowflake and S3 are: the programs run, say so, and are not restarted for it.</summary>
    [Theory]
    [InlineData("snowpipe-forwarder")]
    [InlineData("s3-forwarder")]
    [InlineData("console")]
    public async Task A_program_starts_with_its_environment_and_passes_its_probes(string name)
    {
        await SetUpAsync();
        WriteSecrets();
        var container = cells.Named(name);
        var start = node.Start(container, ("JOURNAL_FREE_RESERVE", "0"), ("SNOWFLAKE_URL", "http://127.0.0.1:9"));
        if (name == "s3-forwarder")
            start.Environment["S3_ENDPOINT_URL"] = "http://127.0.0.1:9";
        var process = node.Run(start);
        process.BeginOutputReadLine();
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var port = node.Port($"{container.Ports.Single(port => port.Name == container.StartupProbe.HttpGet.Port.Value).ContainerPort}");
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

        await UntilAsync(
            async () => await StatusAsync(http, container.StartupProbe.HttpGet.Path) == HttpStatusCode.OK,
            async () => process.HasExited ? await errors : null
        );

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, container.LivenessProbe.HttpGet.Path));
        if (container.ReadinessProbe is { } ready)
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(http, ready.HttpGet.Path));
    }

    /// <summary>The forwarders must be other clients of the broker than those of another cell.</summary>
    [Fact]
    public async Task Each_cell_has_an_identity_of_its_own()
    {
        using var other = new SimulatedNode(cells);
        await SetUpAsync();
        await SetUpAsync(other);

        Assert.NotEqual(
            File.ReadAllText(node.Volume("identity/auth/installation")),
            File.ReadAllText(other.Volume("identity/auth/installation"))
        );
    }

    Task SetUpAsync() => SetUpAsync(node);

    /// <summary>
    /// The init container `setup`. The image has every directory below /credentials, and can write only to those that are mounted.
    /// </summary>
    async Task SetUpAsync(SimulatedNode on)
    {
        var setup = cells.Named("setup");
        var start = on.Start(
            setup,
            ("MOSQUITTO_AUTH", on.Here(setup, "/mosquitto/auth")),
            ("MOSQUITTO_AUTHORITY", on.Here(setup, "/mosquitto/authority")),
            ("MQTT_CREDENTIALS", on.View(setup, "/credentials")),
            ("CONTROL_TOKENS", on.View(setup, "/control"))
        );
        (await Programs.RunAsync(start)).OrThrow();
    }

    void WriteSecrets()
    {
        using var key = RSA.Create(2048);
        File.WriteAllText(node.Volume("snowflake-key/rsa_key.p8"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(
            node.Volume("aws-credentials/credentials"),
            "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = example\n"
        );
    }

    string Everything() =>
        string.Join(
            '\n',
            Directory
                .EnumerateFiles(node.Volume("identity"), "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .Select(file => $"{file}: {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))}")
        );

    static async Task<HttpStatusCode?> StatusAsync(HttpClient http, string path)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    static async Task UntilAsync(Func<Task<bool>> isTrue, Func<Task<string?>> failure)
    {
        using var ceiling = new CancellationTokenSource(patience, TimeProvider.System);
        while (!await isTrue())
        {
            Assert.Null(await failure());
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, ceiling.Token);
        }
    }
}
