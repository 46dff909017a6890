using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Threading.Channels;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The messages with readings as they pass through the broker, with QoS 0 and no session: the broker keeps nothing for this program, and
/// nothing waits for it. Reconnects when the connection is lost.
/// </summary>
/// <param name="options">Which readings to receive.</param>
/// <param name="warn">Receives a sentence whenever messages may have been missed.</param>
sealed class ReadingStream(TailOptions options, Action<string> warn)
{
    /// <summary>Messages waiting for a slow terminal. Beyond that, the oldest are dropped.</summary>
    const int MostWaiting = 1_000;

    static readonly TimeSpan connectTimeout = TimeSpan.FromSeconds(5);
    static readonly TimeSpan pause = TimeSpan.FromSeconds(1);

    /// <exception cref="FailureException">The broker cannot be reached at first, or refuses.</exception>
    public async IAsyncEnumerable<MqttApplicationMessage> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? name = null;
        // Programs that begin at the same time may choose the same name; the broker then closes a connection that has just been made.
        var mayBeTaken = options.User is null;
        var isFirst = true;
        while (true)
        {
            name = options.User ?? BrokerLoginName.Random(name);
            using var client = new MqttClientFactory().CreateMqttClient();
            var messages = Channel.CreateBounded<MqttApplicationMessage>(
                new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }
            );
            var end = MqttClientDisconnectReason.NormalDisconnection;
            var (hasConnected, hasReceived) = (false, false);
            var begun = TimeProvider.System.GetTimestamp();
            client.ApplicationMessageReceivedAsync += message =>
            {
                messages.Writer.TryWrite(message.ApplicationMessage);
                return Task.CompletedTask;
            };
            client.DisconnectedAsync += disconnected =>
            {
                end = disconnected.Reason;
                messages.Writer.TryComplete();
                return Task.CompletedTask;
            };
            try
            {
                await ConnectAsync(client, name, cancellationToken);
                hasConnected = true;
                await SubscribeAsync(client, cancellationToken);
                isFirst = false;
            }
            catch (FailureException) when (mayBeTaken && hasConnected && !client.IsConnected)
            {
                mayBeTaken = false;
                continue;
            }
            catch (FailureException e) when (!isFirst)
            {
                warn($"{e.Message}. Trying again");
                await Task.Delay(pause, TimeProvider.System, cancellationToken);
                continue;
            }
            await foreach (var message in messages.Reader.ReadAllAsync(cancellationToken))
            {
                hasReceived = true;
                yield return message;
            }
            // Another connection has taken this name and keeps it; with luck the next name is free.
            if (mayBeTaken && !hasReceived && TimeProvider.System.GetElapsedTime(begun) < pause)
                mayBeTaken = false;
            else if (end != MqttClientDisconnectReason.SessionTakenOver)
            {
                warn($"the connection to the broker at {options.Host}:{options.Port} was lost: connecting again");
                await Task.Delay(pause, TimeProvider.System, cancellationToken);
            }
        }
    }

    async Task ConnectAsync(IMqttClient client, string name, CancellationToken cancellationToken)
    {
        ServerCertificateProblem? refused = null;
        var login = new MqttClientOptionsBuilder()
            .WithTcpServer(options.Host, options.Port)
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithClientId(options.User is null ? name : $"{name}-{Guid.NewGuid():N}")
            .WithCredentials(name, Password())
            .WithCleanStart()
            .WithSessionExpiryInterval(0)
            .WithTimeout(connectTimeout)
            .WithoutPacketFragmentation();
        if (options.Tls is { } tls)
            login = login.WithTlsOptions(tls.Build(options.Host, problem => refused = problem));
        try
        {
            var answer = await client.ConnectAsync(login.Build(), cancellationToken);
            if (answer.ResultCode != MqttClientConnectResultCode.Success)
                throw Refused($"It refuses user {name}: {answer.ResultCode}");
        }
        catch (Exception e)
            when (e is MqttCommunicationException or SocketException or TimeoutException or IOException or AuthenticationException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Unreachable(e, refused);
        }
    }

    FailureException Unreachable(Exception e, ServerCertificateProblem? refused)
    {
        const string ClientCertificate = "one that requires client certificates: MQTT_CLIENT_CERT_FILE and MQTT_CLIENT_KEY_FILE";
        var broker = $"the broker at {options.Host}:{options.Port}";
        if (refused is not null)
            return new FailureException($"{broker} is not trusted", Sentence(refused.What), BrokerTls.Cure(refused.Kind));
        var reason = (e.InnerException ?? e).Message;
        if (options.Tls is not null && HasTlsFailed(e))
        {
            return new FailureException(
                $"{broker} does not complete TLS",
                reason,
                "the port for TLS is usually 8883, and 1883 is without TLS: --broker HOST:PORT, or leave out --tls and --ca (MQTT_TLS); "
                    + ClientCertificate
            );
        }
        return new FailureException(
            $"{broker} does not answer",
            reason,
            "docker compose ps mosquitto, and ./check; another broker: --broker HOST[:PORT]; "
                + (options.Tls is null ? "one that expects TLS: --ca FILE" : ClientCertificate)
        );
    }

    /// <summary>Whether TLS failed: the socket was connected, so something listens there.</summary>
    static bool HasTlsFailed(Exception e)
    {
        for (Exception? at = e; at is not null; at = at.InnerException)
        {
            if (at is SocketException { SocketErrorCode: not SocketError.ConnectionReset })
                return false;
            if (at is AuthenticationException or IOException or SocketException)
                return true;
        }
        return false;
    }

    static string Sentence(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    async Task SubscribeAsync(IMqttClient client, CancellationToken cancellationToken)
    {
        var wanted = new MqttClientSubscribeOptions
        {
            TopicFilters =
            [
                .. options.Filters.Select(filter => new MqttTopicFilter
                {
                    Topic = filter,
                    QualityOfServiceLevel = MqttQualityOfServiceLevel.AtMostOnce,
                }),
            ],
        };
        try
        {
            var answer = await client.SubscribeAsync(wanted, cancellationToken);
            if (answer.Items.FirstOrDefault(item => (int)item.ResultCode >= 0x80) is { } refused)
                throw Refused($"It refuses the subscription to {refused.TopicFilter.Topic}: {refused.ResultCode}");
        }
        catch (Exception e) when (e is MqttCommunicationException or MqttClientNotConnectedException or TimeoutException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Refused($"It closed the connection: {e.Message}");
        }
    }

    FailureException Refused(string why) =>
        new(
            $"the broker at {options.Host}:{options.Port} does not let this program subscribe",
            why,
            $"./up makes the user {BrokerLoginName.User} again; at another broker, a user that may subscribe to telemetry/v1/#: --user, "
                + "--password-file"
        );

    string Password()
    {
        try
        {
            return File.ReadAllText(options.PasswordFile).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FailureException(
                $"the password in {options.PasswordFile} cannot be read",
                e.Message,
                "./thermalctl tail finds the password by itself; elsewhere --password-file FILE"
            );
        }
    }
}
