using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace ThermalStreaming.Testing;

/// <summary>
/// MQTTnet's own client, as MQTT 5: for what a test publishes, or asks of a broker, where the client of this project is not what is tested.
/// It does not connect again when its connection is lost.
/// </summary>
public sealed class MqttNetClient : IAsyncDisposable
{
    /// <summary>
    /// What <see cref="PublishAsync"/> returns for a message that was not sent, because the broker had said that it would not take it.
    /// </summary>
    public const int NothingSent = int.MinValue;

    /// <summary>What <see cref="ConnectAsync"/> returns when nothing listens, or when the connection is closed before CONNACK. Minus this
    /// is what <see cref="PublishAsync"/> returns when it is closed before PUBACK, without DISCONNECT.</summary>
    public const int NoAnswer = 0x100;

    static readonly TimeSpan patience = TimeSpan.FromSeconds(60);
    readonly IMqttClient client = new MqttClientFactory().CreateMqttClient();
    uint maximumPacketSize = uint.MaxValue;

    /// <summary>Connects to a broker on 127.0.0.1 that lets anybody in.</summary>
    public static async Task<MqttNetClient> ConnectedAsync(int port, string clientId)
    {
        var client = new MqttNetClient();
        if (await client.ConnectAsync(port, clientId) is var reason and not 0)
            throw new InvalidOperationException($"The broker refused the connection: 0x{reason:X2} (0x100: no answer).");
        return client;
    }

    /// <summary>Connects to a broker on 127.0.0.1.</summary>
    /// <param name="port">Where it listens without TLS.</param>
    /// <param name="clientId">Empty: the broker chooses one.</param>
    /// <param name="user">Null: no user.</param>
    /// <param name="password">Of the user.</param>
    /// <param name="sessionExpiry">How long the broker keeps the session, in seconds; 0: a new session that ends with the
    /// connection.</param>
    /// <returns>The reason code of CONNACK, or <see cref="NoAnswer"/>; 0 is success.</returns>
    public async Task<int> ConnectAsync(int port, string clientId, string? user = null, string? password = null, uint sessionExpiry = 0)
    {
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer("127.0.0.1", port)
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithClientId(clientId)
            .WithCleanStart(sessionExpiry == 0)
            .WithSessionExpiryInterval(sessionExpiry)
            .WithTimeout(patience)
            .WithoutPacketFragmentation();
        if (user is not null)
            options = options.WithCredentials(user, password);
        try
        {
            var connected = await client.ConnectAsync(options.Build());
            // MQTTnet reads a property that is not there as 0.
            maximumPacketSize = connected.MaximumPacketSize is { } limit and not 0 ? limit : uint.MaxValue;
            return (int)connected.ResultCode;
        }
        catch (MqttCommunicationException)
        {
            return NoAnswer;
        }
    }

    /// <summary>Publishes with QoS 1.</summary>
    /// <returns>The reason code of PUBACK, minus that of DISCONNECT, minus <see cref="NoAnswer"/>, or <see cref="NothingSent"/>.</returns>
    public async Task<int> PublishAsync(
        string topic,
        byte[] payload,
        string? contentType = null,
        bool retain = false,
        CancellationToken cancellationToken = default
    )
    {
        if (payload.Length + topic.Length > maximumPacketSize)
            return NothingSent;
        var message = new MqttApplicationMessage
        {
            Topic = topic,
            PayloadSegment = payload,
            ContentType = contentType,
            Retain = retain,
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
        };
        try
        {
            return (int)
                (
                    await client.PublishAsync(message, cancellationToken).WaitAsync(patience, TimeProvider.System, cancellationToken)
                ).ReasonCode;
        }
        catch (MqttClientUnexpectedDisconnectReceivedException e)
        {
            return -(int)(e.ReasonCode ?? MqttDisconnectReasonCode.UnspecifiedError);
        }
        catch (MqttCommunicationException)
        {
            return -NoAnswer;
        }
    }

    /// <summary>Subscribes with QoS 1.</summary>
    /// <returns>The reason code of SUBACK: the granted QoS, or a refusal from 0x80 on.</returns>
    public async Task<int> SubscribeAsync(string filter)
    {
        var options = new MqttClientSubscribeOptions
        {
            TopicFilters = [new MqttTopicFilter { Topic = filter, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce }],
        };
        return (int)(await client.SubscribeAsync(options).WaitAsync(patience, TimeProvider.System)).Items.Single().ResultCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (client.IsConnected)
        {
            try
            {
                await client.DisconnectAsync();
            }
            catch (MqttCommunicationException)
            {
                // The broker was faster.
            }
        }
        client.Dispose();
    }
}
