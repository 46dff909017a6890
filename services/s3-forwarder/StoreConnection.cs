using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Amazon.Runtime;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Gives a client of the SDK its one HTTP client, behind an <see cref="AnswerGate"/>. Thread-safe.</summary>
/// <param name="gate">Creates the gate before the connection.</param>
sealed class StoreConnection(Func<HttpMessageHandler, AnswerGate> gate) : HttpClientFactory, IDisposable
{
    readonly HttpClient client = new(
        gate(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                ConnectTimeout = TimeSpan.FromSeconds(10),
                // So that a server that moved is found again.
                PooledConnectionLifetime = TimeSpan.FromMinutes(15),
                // If the gate does not read a body to its end, the rest is not worth reading.
                MaxResponseDrainSize = AnswerGate.MostBytes,
                SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = Validate },
            }
        )
    )
    {
        // Each call has its own deadline, which depends on its size.
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public void Dispose() => client.Dispose();

    /// <summary>
    /// The usual validation, with the issuer's name in the refusal: it distinguishes a proxy that inspects TLS from an expired certificate.
    /// </summary>
    static bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        errors == SslPolicyErrors.None || Refuse(certificate, chain, errors);

    static bool Refuse(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        var why =
            errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
                ? $"it is for {PlainText.OneLine(certificate?.Subject ?? "nobody", 120)}"
            : chain?.ChainStatus is [{ Status: var status }, ..] ? status.ToString()
            : errors.ToString();
        throw new AuthenticationException($"{why}; issued by {PlainText.OneLine(certificate?.Issuer ?? "nobody", 120)}");
    }
}
