using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ThermalStreaming.S3Forwarder.Tests;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Observability.Tests;

/// <summary>
/// The agent, two snowpipe-forwarders and the s3-forwarder as processes, with a broker, the emulator and a bucket. Readings of both kinds
/// have arrived at their destinations.
/// </summary>
public sealed class RunningServices : IAsyncLifetime
{
    readonly TempDirectory directory = new();
    readonly RawStore store = new();
    readonly List<ServiceProcess> processes = [];
    MosquittoProcess broker = null!;
    int emulatorPort;

    internal ServiceProcess Agent { get; private set; } = null!;

    internal ServiceProcess Snowpipe { get; private set; } = null!;

    internal ServiceProcess OtherSnowpipe { get; private set; } = null!;

    internal ServiceProcess S3 { get; private set; } = null!;

    internal IEnumerable<ServiceProcess> Services => [Agent, Snowpipe, S3];

    public async ValueTask InitializeAsync()
    {
        broker = await MosquittoProcess.StartAsync(new BrokerSettings { Tls = Certificate() });
        MakePi();
        StartEmulator();
        Snowpipe = Start("SnowpipeForwarder", SnowpipeSettings());
        OtherSnowpipe = Start("SnowpipeForwarder", SnowpipeSettings());
        S3 = Start(
            "S3Forwarder",
            ("S3_BUCKET", "readings"),
            ("S3_ENDPOINT_URL", store.Address.AbsoluteUri),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("S3_BATCH_LINGER", "500ms")
        );
        Agent = Start(
            "SensorAgent",
            ("DEVICE_ID", "pi"),
            ("SOURCE", "simulate"),
            ("SEED", "1"),
            ("CLOCK_PATIENCE", "0"),
            ("MQTT_CERTIFICATE_PORT", $"{broker.TlsPort}"),
            ("HOST_SYS", directory.File("sys")),
            ("BATCH_SIZE", "2"),
            ("INTERVAL_SECONDS", "500ms"),
            ("INVERTERS_NUM", "3"),
            ("INVERTER_INTERVAL_SECONDS", "500ms")
        );
        foreach (var forwarder in new[] { Snowpipe, OtherSnowpipe, S3 })
        {
            await forwarder.MetricsAsync(
                text => Exposition.Parse(text).Value("thermal_forwarder_commit_latency_seconds_count") > 0,
                "nothing was committed"
            );
        }
        await Agent.MetricsAsync(text => Exposition.Parse(text).Sum("thermal_agent_readings_published_total") > 0, "nothing was published");
        await Agent.MetricsAsync(
            text => Exposition.Parse(text).Value("thermal_broker_certificate_expiry_timestamp_seconds") > 0,
            "the certificate was not seen"
        );
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(processes))
            process.Dispose();
        await broker.DisposeAsync();
        await store.DisposeAsync();
        directory.Dispose();
    }

    BrokerTls Certificate()
    {
        using var key = RSA.Create(2048);
        var now = TimeProvider.System.GetUtcNow();
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(365));
        File.WriteAllText(directory.File("server.crt"), certificate.ExportCertificatePem());
        File.WriteAllText(directory.File("server.key"), key.ExportPkcs8PrivateKeyPem());
        return new(
            directory.File("server.crt"),
            directory.File("server.crt"),
            directory.File("server.key"),
            RequireClientCertificate: false
        );
    }

    /// <summary>The drivers of a Raspberry Pi that tell of its power supply, as they look in /sys.</summary>
    void MakePi()
    {
        var hwmon = Directory.CreateDirectory(directory.File("sys/class/hwmon/hwmon0")).FullName;
        File.WriteAllText(Path.Combine(hwmon, "name"), "rpi_volt\n");
        File.WriteAllText(Path.Combine(hwmon, "in0_lcrit_alarm"), "0\n");
        var firmware = Directory.CreateDirectory(directory.File("sys/devices/platform/soc/soc:firmware")).FullName;
        File.WriteAllText(Path.Combine(firmware, "get_throttled"), "0\n");
    }

    void StartEmulator()
    {
        var keys = Directory.CreateDirectory(directory.File("keys")).FullName;
        using var rsa = RSA.Create(2048);
        File.WriteAllText(directory.File("rsa_key.p8"), rsa.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(keys, "rsa_key.pub"), rsa.ExportSubjectPublicKeyInfoPem());
        emulatorPort = Ports.Take();
        var process = new ServiceProcess(
            "SnowflakeEmulator",
            ("EMULATOR_PORT", $"{emulatorPort}"),
            ("EMULATOR_DATA", directory.File("snowflake")),
            ("EMULATOR_SQL", Repository.File("sql/streaming")),
            ("EMULATOR_KEYS", keys),
            ("EMULATOR_COMMIT_DELAY", "200ms"),
            ("LOG_LEVEL", "Warning")
        );
        processes.Add(process);
    }

    (string Key, string Value)[] SnowpipeSettings() =>
        [
            ("SNOWFLAKE_ACCOUNT", "LOCAL-DEMO"),
            ("SNOWFLAKE_USER", "THERMAL_STREAMING_USER"),
            ("SNOWFLAKE_DATABASE", "DEMO"),
            ("SNOWFLAKE_SCHEMA", "DEMO"),
            ("SNOWFLAKE_PIPE", "THERMAL_SENSOR_PIPE"),
            ("SNOWFLAKE_URL", $"http://127.0.0.1:{emulatorPort}"),
            ("SNOWFLAKE_PRIVATE_KEY_FILE", directory.File("rsa_key.p8")),
            ("SNOWPIPE_BATCH_LINGER", "200ms"),
        ];

    ServiceProcess Start(string assembly, params (string Key, string Value)[] settings)
    {
        var process = new ServiceProcess(assembly, [("MQTT_HOST", "127.0.0.1"), ("MQTT_PORT", $"{broker.Port}"), .. settings]);
        processes.Add(process);
        return process;
    }
}
