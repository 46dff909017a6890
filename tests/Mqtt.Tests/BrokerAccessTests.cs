using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Whom a broker lets in, whom a client trusts, and what a user may do.</summary>
public sealed class BrokerAccessTests
{
    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task A_wrong_password_is_explained_and_a_right_one_works(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(
            kind,
            new BrokerSettings { Users = new Dictionary<string, string> { ["agent"] = "right" } }
        );
        var options = TestBroker.Options(broker.Port, "agent");
        options.UserName = "agent";
        options.Password = "wrong";
        await using var refused = new RunningClient(options);

        await Wait.UntilAsync(() => refused.Client.State.LastError is not null, "the broker refuses");
        options.Password = "right";
        await using var accepted = await new RunningClient(options).ReadyAsync();

        Assert.Contains("user 'agent'", refused.Client.State.LastError, StringComparison.Ordinal);
        Assert.Contains("MQTT_USER and MQTT_PASSWORD", refused.Client.State.LastError, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", refused.Client.State.LastError, StringComparison.Ordinal);
        Assert.True(refused.Client.State.LastReason is MqttReasonCode.NotAuthorized or MqttReasonCode.BadUserNameOrPassword);
        Assert.False(refused.Client.State.IsReady);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task A_publish_that_the_acl_forbids_fails_with_the_reason_and_the_connection_stays(BrokerKind kind)
    {
        await using var broker = await TestBroker.StartAsync(
            kind,
            new BrokerSettings
            {
                Users = new Dictionary<string, string> { ["agent"] = "secret" },
                Acl = ["user agent", "topic write telemetry/#"],
            }
        );
        var options = TestBroker.Options(broker.Port, "agent");
        options.UserName = "agent";
        options.Password = "secret";
        await using var agent = await new RunningClient(options).ReadyAsync();

        var refusal = await Assert.ThrowsAsync<MqttPublishRefusedException>(() =>
            agent.Client.PublishAsync("forbidden", new byte[1], MqttQos.AtLeastOnce).Within()
        );
        await agent.Client.PublishAsync("telemetry/1", new byte[1], MqttQos.AtLeastOnce).Within();

        Assert.Equal(MqttReasonCode.NotAuthorized, refusal.Reason);
        Assert.Contains("'forbidden'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("ACL", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, agent.Client.Counters.Connections);
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task Tls_with_own_authority_and_client_certificate_works(BrokerKind kind)
    {
        using var certificates = new TestCertificates();
        await using var broker = await TestBroker.StartAsync(
            kind,
            new BrokerSettings { Tls = certificates.ForBroker(requireClientCertificate: true) }
        );
        var options = TestBroker.Options(broker.TlsPort, "secure", "t");
        options.Tls = new MqttTls
        {
            CaFile = certificates.CaFile,
            ClientCertificateFile = certificates.ClientCertificateFile,
            ClientKeyFile = certificates.ClientKeyFile,
        };
        await using var client = await new RunningClient(options).ReadyAsync();
        var payload = new byte[300_000];
        Random.Shared.NextBytes(payload);

        await client.Client.PublishAsync("t", payload, MqttQos.AtLeastOnce).Within();
        var message = await client.ReceiveAsync();

        Assert.Equal(payload, message.Payload.ToArray());
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task A_broker_that_wants_a_client_certificate_and_gets_none_is_explained(BrokerKind kind)
    {
        using var certificates = new TestCertificates();
        await using var broker = await TestBroker.StartAsync(
            kind,
            new BrokerSettings { Tls = certificates.ForBroker(requireClientCertificate: true) }
        );
        var options = TestBroker.Options(broker.TlsPort, "secure");
        options.Tls = new MqttTls { CaFile = certificates.CaFile };
        await using var client = new RunningClient(options);

        await Wait.UntilAsync(() => client.Client.State.LastError is not null, "the broker refuses");

        Assert.Contains(
            "client certificate",
            client.Client.State.LastError!.Replace("client's", "client", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(BrokerKind.Mosquitto)]
    [InlineData(BrokerKind.MqttNet)]
    public async Task A_broker_of_an_unknown_authority_or_another_name_is_not_trusted_unless_allowed(BrokerKind kind)
    {
        using var certificates = new TestCertificates();
        using var others = new TestCertificates();
        await using var broker = await TestBroker.StartAsync(
            kind,
            new BrokerSettings { Tls = certificates.ForBroker(requireClientCertificate: false) }
        );
        var options = TestBroker.Options(broker.TlsPort, "a");
        options.Tls = new MqttTls { CaFile = others.CaFile };
        await using var unknown = new RunningClient(options);
        options.ClientId = "b";
        options.Tls = new MqttTls { CaFile = certificates.CaFile, ServerName = "elsewhere.example" };
        await using var misnamed = new RunningClient(options);
        options.ClientId = "c";
        options.Tls = new MqttTls { AllowUntrusted = true };
        await using var trusting = await new RunningClient(options).ReadyAsync();
        options.ClientId = "d";
        options.Tls = new MqttTls { CaFile = "/does/not/exist.pem" };
        await using var fileless = new RunningClient(options);

        await Wait.UntilAsync(
            () =>
                unknown.Client.State.LastError is not null
                && misnamed.Client.State.LastError is not null
                && fileless.Client.State.LastError is not null,
            "all are refused"
        );

        Assert.Contains("CA file", unknown.Client.State.LastError, StringComparison.Ordinal);
        Assert.Contains("'elsewhere.example'", misnamed.Client.State.LastError, StringComparison.Ordinal);
        Assert.Contains("/does/not/exist.pem", fileless.Client.State.LastError, StringComparison.Ordinal);
        Assert.Equal(0, unknown.Client.Counters.Connections + misnamed.Client.Counters.Connections);
    }
}
