using System.Net.Sockets;
using System.Text;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace ThermalStreaming.Mqtt;

/// <summary>Makes a connection, up to and including the broker's CONNACK. Owns the connection until a <see cref="Connection"/> takes
/// it.</summary>
sealed class Handshake : IDisposable
{
    readonly MqttOptions options;
    readonly Session session;

    Handshake(Session session, string clientId, Transport transport)
    {
        options = session.Options;
        this.session = session;
        ClientId = clientId;
        Transport = transport;
        Reader = new PacketReader(transport.Stream, options.MaximumPacketSize, session.Counters);
    }

    public Transport Transport { get; }

    /// <summary>May already hold packets that came with CONNACK.</summary>
    public PacketReader Reader { get; }

    public MqttConnAckPacket Connack { get; private set; } = new();

    /// <summary>The requested client id, or the one that the broker chose.</summary>
    public string ClientId { get; private set; }

    /// <summary>The client's, or the broker's if it set one.</summary>
    public TimeSpan KeepAlive { get; private set; }

    /// <summary>Connects within <see cref="MqttOptions.ConnectTimeout"/>.</summary>
    /// <exception cref="MqttException">The connection could not be made, or the broker refused it.</exception>
    public static async Task<Handshake> OpenAsync(Session session, string clientId, bool cleanStart, CancellationToken stop)
    {
        var options = session.Options;
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, session.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop);
        Handshake? handshake = null;
        try
        {
            handshake = new Handshake(session, clientId, await Transport.OpenAsync(options, both.Token));
            await handshake.ConnectAsync(cleanStart, both.Token);
            return handshake;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            handshake?.Dispose();
            throw new MqttConnectionException(
                $"{session.TheBroker} did not answer within "
                    + $"{options.ConnectTimeout.TotalSeconds:0.#} s. Check MQTT_HOST, MQTT_PORT, and the network and firewall between here "
                    + "and there."
            );
        }
        catch
        {
            handshake?.Dispose();
            throw;
        }
    }

    public void Dispose() => Transport.Dispose();

    async Task ConnectAsync(bool cleanStart, CancellationToken cancellationToken)
    {
        var connect = Connect(cleanStart);
        try
        {
            await SendAsync(connect, cancellationToken);
            await ReadConnackAsync(cancellationToken);
            if (Connack.ReasonCode != MqttConnectReasonCode.Success)
                throw Refused();
            if (Connack.IsSessionPresent && connect.CleanSession)
                throw MqttProtocolException.Error("the broker resumes a session although a clean start was asked for");
        }
        catch (MqttProtocolException e)
        {
            await SayGoodbyeAsync(e, cancellationToken);
            throw new MqttProtocolException(
                e.Reason,
                $"{e.Message} It came from {session.Broker} in answer to CONNECT; is that an MQTT 5 broker?"
            );
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new MqttConnectionException(
                $"{session.TheBroker} closed the connection instead of answering CONNECT: {e.Message}"
                    + (options.Tls is null ? "" : " Does it accept this client's certificate, or want one?"),
                e
            );
        }
        if (!string.IsNullOrEmpty(Connack.AssignedClientIdentifier))
            ClientId = Connack.AssignedClientIdentifier;
        // 0 turns the broker's check off; the client must still notice a dead connection.
        KeepAlive = Connack.ServerKeepAlive > 0 ? TimeSpan.FromSeconds(Connack.ServerKeepAlive) : options.KeepAlive;
    }

    MqttConnectPacket Connect(bool cleanStart)
    {
        var password = options.CurrentPassword() is { } text ? Encoding.UTF8.GetBytes(text) : null;
        var connect = new MqttConnectPacket
        {
            ClientId = ClientId,
            // MQTTnet requires a clean start for a client without an id. Such a client has no session that the broker could resume.
            CleanSession = cleanStart || ClientId.Length == 0,
            KeepAlivePeriod = (ushort)options.KeepAlive.TotalSeconds,
            // MQTTnet requires a user name with a password.
            Username = options.UserName ?? (password is null ? null : ""),
            Password = password,
            SessionExpiryInterval = (uint)options.SessionExpiry.TotalSeconds,
            ReceiveMaximum = (ushort)options.ReceiveMaximum,
            MaximumPacketSize = (uint)options.MaximumPacketSize,
            // The default of MQTT 5.0, but not of MQTTnet's packet; without it a broker gives no reason strings.
            RequestProblemInformation = true,
        };
        if (options.Will is { } will)
        {
            connect.WillFlag = true;
            connect.WillTopic = will.Topic;
            connect.WillMessage = will.Payload.ToArray();
            connect.WillQoS = (MqttQualityOfServiceLevel)will.Qos;
            connect.WillRetain = will.Retain;
            connect.WillContentType = will.ContentType;
        }
        return connect;
    }

    async Task ReadConnackAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var isWhole = Reader.HasPacket();
            if (Reader.IsInPacket && Reader.Type != MqttControlPacketType.ConnAck)
                throw MqttProtocolException.Error($"{Reader.Type.ToString().ToUpperInvariant()} came instead of CONNACK");
            if (isWhole)
                break;
            if (await Reader.FillAsync(cancellationToken))
                continue;
            throw new MqttConnectionException(
                $"{session.TheBroker} closed the connection instead of answering CONNECT. "
                    + (
                        options.Tls is null
                            ? "Does this port expect TLS, or something other than MQTT 5?"
                            : "Does it accept this client's certificate, or want one?"
                    )
            );
        }
        Connack = (MqttConnAckPacket)Reader.Take();
    }

    MqttConnectionException Refused()
    {
        var reason = (MqttReasonCode)Connack.ReasonCode;
        // 1 is the code of MQTT 3.1.1 for this.
        if (reason is MqttReasonCode.UnsupportedProtocolVersion or (MqttReasonCode)1)
        {
            reason = MqttReasonCode.UnsupportedProtocolVersion;
            return new MqttConnectionException(
                $"{session.TheBroker} does not speak MQTT 5.0, only an older version. {MqttReasons.ConnectCure(reason, null)}",
                reason
            );
        }
        var who = options.UserName is null ? "the client without a user name" : $"user '{options.UserName}'";
        var cure = MqttReasons.ConnectCure(reason, options.UserName);
        var why = MqttReasons.Sentence(reason, Connack.ReasonString, Connack.ServerReference, cure);
        return new MqttConnectionException($"{session.TheBroker} refused {who} (client id '{ClientId}'): {why}", reason);
    }

    async Task SayGoodbyeAsync(MqttProtocolException e, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(new MqttDisconnectPacket { ReasonCode = (MqttDisconnectReasonCode)e.Reason }, cancellationToken);
            Transport.EndSending();
        }
        catch (Exception failure) when (Connection.IsLoss(failure))
        {
            // Sending it was only a courtesy.
        }
    }

    async Task SendAsync(MqttPacket packet, CancellationToken cancellationToken)
    {
        var bytes = new PacketBuffer();
        bytes.Add(packet);
        await Transport.Stream.WriteAsync(bytes.Written, cancellationToken);
        session.Counters.AddSent(bytes.Length);
    }
}
