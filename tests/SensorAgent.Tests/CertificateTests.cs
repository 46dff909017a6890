using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using ThermalStreaming.Hosting;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>The certificate that the shipped broker serves to other machines, as the agent sees it.</summary>
[Trait("Category", "Security")]
public sealed class CertificateTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task An_agent_shows_the_expiry_warns_once_and_keeps_its_own_connection()
    {
        await using var broker = await ShippedBroker.StartAsync(("CERTIFICATE_DAYS", "20"));
        using var data = new TempDirectory();
        File.WriteAllText(data.File("password"), broker.Password("sensor-agent"));
        using var agent = new AgentProcess(
            data.File("data"),
            broker.Port,
            ("MQTT_USER", "sensor-agent"),
            ("MQTT_PASSWORD_FILE", data.File("password")),
            ("MQTT_CERTIFICATE_PORT", $"{broker.TlsPort}")
        );

        await agent.StatusAsync(status => status.GetProperty("mqtt").GetString() == "connected");
        const string Metric = "thermal_broker_certificate_expiry_timestamp_seconds";
        var metrics = await UntilAsync(agent.MetricsAsync, text => text.Contains($"\n{Metric}", StringComparison.Ordinal));

        var line = metrics.Split('\n').Single(line => line.StartsWith(Metric, StringComparison.Ordinal));
        var expiry = DateTimeOffset.FromUnixTimeSeconds(long.Parse(line.Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture));
        Assert.InRange(expiry - TimeProvider.System.GetUtcNow(), TimeSpan.FromDays(19.9), TimeSpan.FromDays(20));
        // The log is written a little later than the metric.
        var log = await UntilAsync(() => Task.FromResult(agent.Log), text => text.Contains("logs keeper", StringComparison.Ordinal));
        Assert.Single(log.Split('\n'), entry => entry.Contains("docker compose logs keeper", StringComparison.Ordinal));
        Assert.Contains("\nthermal_agent_mqtt_reconnects_total 0", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_looks_every_hour_and_warns_again_only_after_a_renewal()
    {
        await using var broker = await ShippedBroker.StartAsync(("CERTIFICATE_DAYS", "20"));
        var clock = new ManualClock(TimeProvider.System.GetUtcNow());
        var log = new FakeLogger<CertificateWatch>();
        using var meter = new Meter("test");
        using var watch = new CertificateWatch(Options(broker.TlsPort), meter, clock, log);
        await watch.StartAsync(default);

        for (var hour = 0; hour < 3; hour++)
        {
            await UntilAsync(() => Task.FromResult(clock.NextDue), due => due is not null);
            Assert.Equal((TimeSpan.FromHours(1), 1), (clock.NextDue, log.Collector.Count));
            clock.Advance(TimeSpan.FromHours(1));
        }
        await UntilAsync(() => Task.FromResult(clock.NextDue), due => due is not null);
        await broker.SetUpAsync(("CERTIFICATE_DAYS", "820"));
        await UntilAsync(
            () => BrokerCertificate.ReadExpiryAsync("127.0.0.1", broker.TlsPort, Patience, default),
            seen => seen > clock.GetUtcNow().AddDays(700)
        );
        clock.Advance(TimeSpan.FromHours(1));
        await UntilAsync(() => Task.FromResult(clock.NextDue), due => due is not null);
        clock.Advance(TimeSpan.FromDays(800));
        await UntilAsync(() => Task.FromResult(clock.NextDue), due => due is not null);

        Assert.Equal(2, log.Collector.Count);
        await watch.StopAsync(default);
    }

    [Theory]
    [InlineData(0, CheckOutcome.Ok, "820 days from now")]
    [InlineData(800, CheckOutcome.Warning, "20 days from now")]
    [InlineData(822, CheckOutcome.Failed, "2 days ago: it has expired")]
    public async Task The_check_judges_by_the_days_that_are_left(int later, CheckOutcome outcome, string detail)
    {
        await using var broker = await ShippedBroker.StartAsync();
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddDays(later));

        var result = await BrokerCertificate.CheckStep("127.0.0.1", broker.TlsPort, Patience, clock).Run(default);

        Assert.Equal(outcome, result.Outcome);
        Assert.Contains(detail, result.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_refuses_or_says_nothing_fails_the_check_in_time()
    {
        var closed = await BrokerCertificate.CheckStep("127.0.0.1", Ports.Take(), Patience, TimeProvider.System).Run(default);
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var port = ((IPEndPoint)silent.LocalEndpoint).Port;
        var mute = await BrokerCertificate
            .CheckStep("127.0.0.1", port, TimeSpan.FromMilliseconds(300), TimeProvider.System)
            .Run(default)
            .WaitAsync(Patience, TimeProvider.System);

        Assert.Equal((CheckOutcome.Failed, CheckOutcome.Failed), (closed.Outcome, mute.Outcome));
        Assert.Contains("serves no certificate: no answer within 0.3 s", mute.Detail, StringComparison.Ordinal);
        Assert.Contains("docker compose restart mosquitto", mute.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Looking_takes_no_connection_away_from_the_brokers_clients()
    {
        await using var broker = await ShippedBroker.StartAsync();

        // More than the listener's max_connections.
        for (var look = 0; look < 450; look++)
            await BrokerCertificate.ReadExpiryAsync("127.0.0.1", broker.TlsPort, Patience, default);
    }

    static AgentOptions Options(int port) =>
        new()
        {
            CertificatePort = port,
            Mqtt = new MqttOptions
            {
                Host = "127.0.0.1",
                ClientId = "pi",
                ConnectTimeout = Patience,
            },
        };

    static async Task<T> UntilAsync<T>(Func<Task<T>> look, Func<T, bool> wanted)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var seen = await look();
            if (wanted(seen))
                return seen;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, timeout.Token);
        }
    }
}
