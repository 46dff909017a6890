using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// Looks at the certificate that a broker serves on its TLS port, without logging in. Once it has expired, other machines cannot connect
/// there. Thread-safe.
/// </summary>
public static class BrokerCertificate
{
    /// <summary>Name of the step of <c>check</c>.</summary>
    public const string Step = "broker certificate";

    /// <summary>
    /// A certificate with less time left should have been renewed: the service <c>keeper</c> does it 30 days before the end.
    /// </summary>
    public static readonly TimeSpan LeastLeft = TimeSpan.FromDays(25);

    /// <summary>
    /// When the certificate expires. Opens a connection for the TLS handshake and closes it at once, whether the certificate is trusted or
    /// not.
    /// </summary>
    /// <param name="host">Name or address of the broker.</param>
    /// <param name="port">Its TLS port.</param>
    /// <param name="patience">For name, connection and handshake together.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="IOException">Nothing there serves a certificate within that time.</exception>
    public static async Task<DateTimeOffset> ReadExpiryAsync(string host, int port, TimeSpan patience, CancellationToken cancellationToken)
    {
        DateTimeOffset? expiry = null;
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(patience);
        var problem = "it closed the connection before it showed a certificate";
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(host, port, limited.Token);
            await using var stream = new NetworkStream(socket);
            await using var tls = new SslStream(stream);
            var authentication = new SslClientAuthenticationOptions { TargetHost = host, RemoteCertificateValidationCallback = Look };
            await tls.AuthenticateAsClientAsync(authentication, limited.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            problem = $"no answer within {patience.TotalSeconds:0.#} s";
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException)
        {
            // A broker that demands a client certificate has shown its own by now.
            problem = e.Message;
        }
        return expiry ?? throw new IOException($"{host}:{port} serves no certificate: {problem}");

        bool Look(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            if (certificate is X509Certificate2 served)
                expiry = new DateTimeOffset(served.NotAfter.ToUniversalTime(), TimeSpan.Zero);
            return certificate is not null;
        }
    }

    /// <summary>The step of <c>check</c> that looks at it.</summary>
    /// <param name="host">Name or address of the broker.</param>
    /// <param name="port">Its TLS port.</param>
    /// <param name="patience">For the whole step.</param>
    /// <param name="clock">Tells the time.</param>
    public static CheckStep CheckStep(string host, int port, TimeSpan patience, TimeProvider clock) =>
        new(
            Step,
            async cancellationToken =>
            {
                try
                {
                    return Judge(await ReadExpiryAsync(host, port, patience, cancellationToken), clock.GetUtcNow(), $"{host}:{port}");
                }
                catch (IOException e)
                {
                    return CheckResult.Failed(
                        e.Message,
                        "The broker does not run, it listens for TLS on another port, or all connections of that port are in use.",
                        "docker compose logs mosquitto; docker compose restart mosquitto. Without TLS for other machines: "
                            + "MQTT_CERTIFICATE_PORT=0."
                    );
                }
            },
            "broker name"
        );

    static CheckResult Judge(DateTimeOffset expiry, DateTimeOffset now, string where)
    {
        var left = expiry - now;
        var when = FormattableString.Invariant($"{Math.Abs(left.TotalDays):0} days {(left < TimeSpan.Zero ? "ago" : "from now")}");
        var detail = FormattableString.Invariant($"{where} serves a certificate that is valid until {expiry:yyyy-MM-dd HH:mm} UTC, {when}");
        if (left < TimeSpan.Zero)
        {
            return CheckResult.Failed(
                $"{detail}: it has expired",
                "The service keeper renews the certificate a month before its end; keeper did not run, or this machine's clock is wrong.",
                "./up --no-build; docker compose logs keeper; timedatectl"
            );
        }
        return left < LeastLeft
            ? CheckResult.Warning(
                detail,
                "The service keeper renews the certificate a month before its end; keeper does not run.",
                "./up --no-build; docker compose logs keeper"
            )
            : CheckResult.Ok(detail);
    }
}
