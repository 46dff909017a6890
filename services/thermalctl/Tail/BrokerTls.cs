using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// TLS to the broker, with the files that the services' settings also name (MQTT_CA_FILE, MQTT_CLIENT_CERT_FILE, MQTT_CLIENT_KEY_FILE).
/// They are read at each connect. Immutable.
/// </summary>
/// <param name="CaFile">PEM; null: the machine's authorities.</param>
/// <param name="CertificateFile">This client's certificate, PEM; null: none.</param>
/// <param name="KeyFile">Its key; null: in the same file.</param>
sealed record BrokerTls(string? CaFile, string? CertificateFile, string? KeyFile)
{
    /// <summary>The TLS options of a connection.</summary>
    /// <param name="host">The name or address that the broker's certificate must carry.</param>
    /// <param name="refused">Receives the certificate's problem.</param>
    /// <exception cref="FailureException">A file cannot be used.</exception>
    public MqttClientTlsOptions Build(string host, Action<ServerCertificateProblem> refused)
    {
        var options = new MqttClientTlsOptionsBuilder()
            .UseTls()
            .WithTargetHost(host)
            .WithRevocationMode(X509RevocationMode.NoCheck)
            .WithCertificateValidationHandler(shown =>
            {
                var now = TimeProvider.System.GetUtcNow();
                var problem = ServerCertificateProblem.Of(shown.Certificate, shown.Chain, shown.SslPolicyErrors, host, CaFile ?? "", now);
                if (problem is not null)
                    refused(problem);
                return problem is null;
            });
        if (CaFile is not null)
            options = options.WithTrustChain(Read(CaFile, () => ControlTls.Load(CaFile, null).Authorities!));
        if (CertificateFile is not null)
        {
            options = options.WithClientCertificates(
                Read(CertificateFile, () => new[] { X509Certificate2.CreateFromPemFile(CertificateFile, KeyFile) })
            );
        }
        return options.Build();
    }

    /// <summary>The remedy for a certificate that is not accepted.</summary>
    public static string Cure(ServerCertificateFault fault) =>
        fault switch
        {
            ServerCertificateFault.Expired =>
                "renew the broker's certificate: ./up --no-build does that for the project's own. If it has not expired, this machine's clock is "
                    + "wrong: timedatectl",
            ServerCertificateFault.OtherName => "use one of these names: --broker HOST[:PORT]",
            _ =>
                "name the authority of the broker's certificate: --ca FILE, or MQTT_CA_FILE. For the project's broker: docker compose exec "
                    + "mosquitto cat /mosquitto/auth/ca.crt",
        };

    static T Read<T>(string file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new FailureException(
                $"the file {file} cannot be used for TLS with the broker",
                e.Message.ReplaceLineEndings(" "),
                "name a PEM file that this user may read: --ca FILE or MQTT_CA_FILE; MQTT_CLIENT_CERT_FILE, MQTT_CLIENT_KEY_FILE",
                OperatorExit.Usage
            );
        }
    }
}
