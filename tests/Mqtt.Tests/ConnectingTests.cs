using System.Threading.Channels;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>What a client says when it connects, and what it makes of the answer.</summary>
public sealed class ConnectingTests
{
    public static TheoryData<string, byte[], string> Refusals =>
        new()
        {
            { "another version", ServerPackets.Connack(reason: MqttReasonCode.UnsupportedProtocolVersion), "MQTT 5.0" },
            { "client id", ServerPackets.Connack(reason: MqttReasonCode.ClientIdentifierNotValid), "client id" },
            { "password", ServerPackets.Connack(reason: MqttReasonCode.BadUserNameOrPassword), "user 'pi'" },
            { "not authorized", ServerPackets.Connack(reason: MqttReasonCode.NotAuthorized), "MQTT_USER and MQTT_PASSWORD" },
            { "unavailable", ServerPackets.Connack(reason: MqttReasonCode.ServerUnavailable), "server unavailable (0x88)" },
            { "banned", ServerPackets.Connack(reason: MqttReasonCode.Banned), "banned" },
            { "quota", ServerPackets.Connack(reason: MqttReasonCode.QuotaExceeded), "quota exceeded" },
            {
                "another server",
                ServerPackets.Connack(
                    reason: MqttReasonCode.UseAnotherServer,
                    properties: ServerPackets.Properties.ServerReference("other")
                ),
                "other"
            },
            { "CONNACK of MQTT 3.1.1, unacceptable version", [0x20, 2, 0, 1], "does not speak MQTT 5.0" },
            { "another packet", ServerPackets.Suback([0, 1], MqttReasonCode.Success), "SUBACK came instead of CONNACK" },
            { "a web server", "HTTP/1.1"u8.ToArray(), "is that an MQTT 5 broker?" },
        };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refusal_is_explained_and_tried_again(string refusal, byte[] answer, string explanation)
    {
        await using var broker = new FakeBroker(
            async (connection, number) =>
            {
                if (number < 3)
                {
                    await connection.ReadAsync(ServerPackets.Connect);
                    await connection.SendAsync(answer);
                    return;
                }
                await connection.AcceptAsync();
                await connection.DrainAsync();
            }
        );
        var options = broker.Options();
        options.UserName = "pi";
        options.Password = "secret";
        await using var client = await new RunningClient(options).ReadyAsync();

        var first = client.Snapshot()[0];

        Assert.True(first.LastError?.Contains(explanation, StringComparison.Ordinal), $"{refusal}: {first.LastError}");
        Assert.DoesNotContain("secret", first.LastError, StringComparison.Ordinal);
        Assert.False(first.IsConnected);
    }

    [Fact]
    public async Task A_broker_that_says_nothing_is_given_up_after_the_connect_timeout()
    {
        await using var broker = new FakeBroker(
            async (connection, number) =>
            {
                if (number > 1)
                    await connection.AcceptAsync();
                await connection.DrainAsync();
            }
        );
        var options = broker.Options();
        options.ConnectTimeout = TimeSpan.FromMilliseconds(300);
        await using var client = await new RunningClient(options).ReadyAsync();

        Assert.Contains("did not answer within 0.3 s", client.Snapshot()[0].LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_listening_is_explained()
    {
        var broker = new FakeBroker((_, _) => Task.CompletedTask);
        var options = broker.Options();
        await broker.DisposeAsync();
        await using var client = new RunningClient(options);

        await client.UntilErrorAsync("nothing listens there");
    }

    public static TheoryData<byte[], string, MqttReasonCode> Goodbyes =>
        new()
        {
            { [ServerPackets.Disconnect, 2, (byte)MqttReasonCode.SessionTakenOver, 0], "same client id", MqttReasonCode.SessionTakenOver },
            {
                ServerPackets.Goodbye(MqttReasonCode.QuotaExceeded, ServerPackets.Properties.Reason("full")),
                "full",
                MqttReasonCode.QuotaExceeded
            },
            {
                ServerPackets.Goodbye(MqttReasonCode.ServerMoved, ServerPackets.Properties.ServerReference("other")),
                "other",
                MqttReasonCode.ServerMoved
            },
            { ServerPackets.Goodbye(MqttReasonCode.ServerShuttingDown), "server shutting down", MqttReasonCode.ServerShuttingDown },
            { ServerPackets.Goodbye((MqttReasonCode)0xF7), "unknown reason (0xF7)", (MqttReasonCode)0xF7 },
        };

    [Theory]
    [MemberData(nameof(Goodbyes))]
    public async Task What_the_broker_says_when_it_disconnects_is_reported(byte[] packet, string text, MqttReasonCode reason)
    {
        await using var broker = new FakeBroker(
            async (connection, number) =>
            {
                await connection.AcceptAsync();
                if (number == 1)
                    await connection.SendAsync(packet);
                else
                    await connection.DrainAsync();
            }
        );
        await using var client = new RunningClient(broker.Options());

        await client.UntilErrorAsync(text);

        Assert.Contains(client.Snapshot(), s => s.LastReason == reason);
    }

    [Fact]
    public async Task The_client_id_the_broker_assigned_is_kept()
    {
        var connects = Channel.CreateUnbounded<byte[]>();
        await using var broker = new FakeBroker(
            async (connection, number) =>
            {
                connects.Writer.TryWrite(
                    await connection.AcceptAsync(number == 1 ? [ServerPackets.Properties.AssignedClientId("abc")] : [])
                );
                if (number > 1)
                    await connection.DrainAsync();
            }
        );
        var options = broker.Options();
        options.ClientId = "";
        options.CleanStart = true;
        await using var client = new RunningClient(options);

        var first = await connects.Reader.ReadAsync().AsTask().Within();
        var second = await connects.Reader.ReadAsync().AsTask().Within();

        Assert.EndsWith("0000", Convert.ToHexString(first), StringComparison.Ordinal);
        Assert.EndsWith("0003616263", Convert.ToHexString(second), StringComparison.Ordinal);
        // Clean Start, bit 1 of the flags after name and level, is for the first connection only.
        Assert.Equal((2, 0), (first[7] & 2, second[7] & 2));
    }

    [Fact]
    public async Task Connect_carries_what_the_options_say()
    {
        var connect = new TaskCompletionSource<byte[]>();
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                connect.TrySetResult(await connection.AcceptAsync());
                await connection.DrainAsync();
            }
        );
        var options = broker.Options();
        options.SessionExpiry = MqttOptions.NeverExpires;
        options.ReceiveMaximum = 500;
        options.MaximumPacketSize = 65_536;
        options.KeepAlive = TimeSpan.FromSeconds(60);
        await using var client = new RunningClient(options);

        var body = await connect.Task.Within();

        // Protocol "MQTT" 5, no flags, keep-alive, length of the properties, session expiry, receive maximum, packet size, client id.
        Assert.Equal(
            "00044D51545405" + "00" + "003C" + "0D" + "11FFFFFFFF" + "2101F4" + "2700010000" + "0006636C69656E74",
            Convert.ToHexString(body)
        );
    }

    [Fact]
    public async Task Connect_carries_will_user_and_password_as_the_standard_writes_them()
    {
        var body = await ConnectOfAsync(options =>
        {
            options.CleanStart = true;
            options.SessionExpiry = TimeSpan.FromSeconds(10);
            options.KeepAlive = TimeSpan.FromSeconds(10);
            options.UserName = "u";
            options.Password = "pw";
            options.Will = new MqttAnnouncement
            {
                Topic = "t",
                Payload = "off"u8.ToArray(),
                ContentType = "a/",
            };
        });

        // Flags: user, password, will retain, will QoS 1, will, clean start. Session expiry 10 is figure 3-6 of §3.1.2.11.
        Assert.Equal(
            "00044D51545405" + "EE000A0D110000000A2103E82701000000" + "0006636C69656E7405030002612F000174" + "00036F666600017500027077",
            body
        );
    }

    [Fact]
    public async Task A_password_without_a_user_goes_with_an_empty_user_name()
    {
        var body = await ConnectOfAsync(options => options.Password = "pw");

        // Flags: user and password.
        Assert.StartsWith("00044D51545405" + "C0", body, StringComparison.Ordinal);
        Assert.EndsWith("0006636C69656E74" + "0000" + "00027077", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_without_an_id_starts_clean()
    {
        var body = await ConnectOfAsync(options => options.ClientId = "");

        // Flags: clean start.
        Assert.StartsWith("00044D51545405" + "02", body, StringComparison.Ordinal);
    }

    /// <summary>What follows the remaining length in the first CONNECT of a client with these options, in hex.</summary>
    static async Task<string> ConnectOfAsync(Action<MqttOptions> change)
    {
        var connect = new TaskCompletionSource<byte[]>();
        await using var broker = new FakeBroker(
            async (connection, _) =>
            {
                connect.TrySetResult(await connection.AcceptAsync());
                await connection.DrainAsync();
            }
        );
        var options = broker.Options();
        change(options);
        await using var client = new RunningClient(options);
        return Convert.ToHexString(await connect.Task.Within());
    }
}
