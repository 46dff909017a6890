using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ThermalStreaming.Mqtt;

/// <summary>The byte stream to the broker: TCP, with TLS if wanted.</summary>
sealed class Transport(Socket socket, Stream stream) : IDisposable
{
    public Stream Stream => stream;

    /// <exception cref="MqttConnectionException">The connection failed; the message says what to do.</exception>
    public static async Task<Transport> OpenAsync(MqttOptions options, CancellationToken cancellationToken)
    {
        var broker = $"{options.Host}:{options.Port}";
        // A small send buffer, so that a ping is not minutes behind a large message on a slow line.
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendBufferSize = 128 * 1024 };
        try
        {
            await socket.ConnectAsync(options.Host, options.Port, cancellationToken);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (options.Tls is { } tls)
                stream = await AuthenticateAsync(stream, tls, options.Host, cancellationToken);
            return new Transport(socket, stream);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new MqttConnectionException($"No connection to the MQTT broker {broker}: {Explain(e, options.Host)}", e);
        }
        catch (AuthenticationException e)
        {
            socket.Dispose();
            throw new MqttConnectionException(
                $"TLS with the MQTT broker {broker} failed: {Words(e)} "
                    + $"Check that the CA file has the authority that signed the broker's certificate, that the certificate is for "
                    + $"'{options.Tls?.ServerName ?? options.Host}', and this machine's clock.",
                e
            );
        }
        catch (IOException e) when (options.Tls is not null)
        {
            socket.Dispose();
            throw new MqttConnectionException(
                $"TLS with the MQTT broker {broker} failed: {e.Message} "
                    + "Check that this port speaks TLS and that the broker accepts the client certificate.",
                e
            );
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Tells the broker that nothing more will be sent; incoming data can still be read.</summary>
    public void EndSending()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The connection is gone already.
        }
    }

    /// <summary>Ends reads and writes in progress. May be called from any thread, and twice.</summary>
    public void Abort() => socket.Dispose();

    public void Dispose()
    {
        socket.Dispose();
        stream.Dispose();
    }

    static async Task<SslStream> AuthenticateAsync(Stream inner, MqttTls tls, string host, CancellationToken cancellationToken)
    {
        var authentication = new SslClientAuthenticationOptions { TargetHost = tls.ServerName ?? host };
        if (tls.CaFile is not null)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            Load(tls.CaFile, () => policy.CustomTrustStore.ImportFromPemFile(tls.CaFile));
            if (policy.CustomTrustStore.Count == 0)
                throw new MqttConnectionException($"The CA file '{tls.CaFile}' has no certificate in it; it must be PEM.");
            authentication.CertificateChainPolicy = policy;
        }
        if (tls.ClientCertificateFile is { } file)
        {
            X509Certificate2? certificate = null;
            X509Certificate2Collection intermediates = [];
            Load(
                file,
                () =>
                {
                    certificate = X509Certificate2.CreateFromPemFile(file, tls.ClientKeyFile);
                    intermediates.ImportFromPemFile(file);
                }
            );
            authentication.ClientCertificateContext = SslStreamCertificateContext.Create(certificate!, intermediates, offline: true);
        }
        if (tls.AllowUntrusted)
#pragma warning disable CA5359 // It is what the option says, and it is off unless asked for.
            authentication.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        var stream = new SslStream(inner);
        try
        {
            await stream.AuthenticateAsClientAsync(authentication, cancellationToken);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    static void Load(string file, Action load)
    {
        try
        {
            load();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new MqttConnectionException(
                $"The TLS file '{file}' (or its key) cannot be used: {e.Message} It must be PEM and readable by this user.",
                e
            );
        }
    }

    /// <summary>All messages of .NET and OpenSSL, the cause last: each layer alone says too little.</summary>
    static string Words(Exception e)
    {
        List<string> words = [];
        for (Exception? at = e; at is not null; at = at.InnerException)
        {
            var text = at.Message.Replace(", see inner exception", "", StringComparison.Ordinal).TrimEnd('.', ' ');
            if (text.Length > 0 && !words.Contains(text))
                words.Add(text);
        }
        return string.Join(": ", words) + ".";
    }

    static string Explain(SocketException e, string host) =>
        e.SocketErrorCode switch
        {
            SocketError.ConnectionRefused =>
                $"{e.Message}: nothing listens there. Is the broker running, and are MQTT_HOST and MQTT_PORT right?",
            SocketError.HostNotFound or SocketError.NoData => $"{e.Message}: the name '{host}' is not known. Check MQTT_HOST and DNS.",
            SocketError.TryAgain => $"{e.Message}: the name '{host}' could not be looked up now. Check DNS and the network.",
            SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.TimedOut =>
                $"{e.Message}. Check the network and firewall between here and there.",
            _ => $"{e.Message}.",
        };
}
