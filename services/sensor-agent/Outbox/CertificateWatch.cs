using System.Diagnostics.Metrics;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// Checks the certificate on the broker's TLS port at the start and every hour, over a separate connection that ends with the handshake.
/// Publishes its expiry as a metric and warns when it should have been renewed.
/// </summary>
sealed partial class CertificateWatch : BackgroundService
{
    static readonly TimeSpan Interval = TimeSpan.FromHours(1),
        RetryInterval = TimeSpan.FromMinutes(1);

    /// <summary>Consecutive failures before a log line: a broker that is just starting is not worth one.</summary>
    const int FailuresToReport = 3;

    readonly MqttOptions broker;
    readonly int port;
    readonly TimeProvider clock;
    readonly ILogger<CertificateWatch> logger;
    long expiry;
    int failures;
    bool hasWarned;

    public CertificateWatch(AgentOptions options, Meter meter, TimeProvider clock, ILogger<CertificateWatch> logger)
    {
        broker = options.Mqtt;
        port = options.CertificatePort;
        this.clock = clock;
        this.logger = logger;
        meter.CreateObservableGauge(
            "thermal.broker.certificate.expiry.timestamp",
            Measure,
            "s",
            "When the certificate on the broker's TLS port expires, seconds since 1970; absent until it has been seen."
        );
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
                await Task.Delay(await LookAsync(stoppingToken) ? Interval : RetryInterval, clock, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    async Task<bool> LookAsync(CancellationToken stopping)
    {
        try
        {
            var seen = await BrokerCertificate.ReadExpiryAsync(broker.Host, port, broker.ConnectTimeout, stopping);
            Volatile.Write(ref expiry, seen.ToUnixTimeSeconds());
            failures = 0;
            var isShort = seen - clock.GetUtcNow() < BrokerCertificate.LeastLeft;
            if (isShort && !hasWarned)
                LogShort(broker.Host, port, seen);
            hasWarned = isShort;
            return true;
        }
        catch (IOException e)
        {
            if (++failures == FailuresToReport)
                LogUnseen(e.Message);
            return false;
        }
    }

    IEnumerable<Measurement<long>> Measure() => Volatile.Read(ref expiry) is > 0 and var seconds ? [new Measurement<long>(seconds)] : [];

    [LoggerMessage(
        EventId = 70,
        Level = LogLevel.Warning,
        Message = "The certificate that the broker serves at {Host}:{Port} expires at {Expiry:u}; other machines cannot connect from then "
            + "on. The service keeper should have renewed it: docker compose logs keeper, then ./up --no-build"
    )]
    partial void LogShort(string host, int port, DateTimeOffset expiry);

    [LoggerMessage(
        EventId = 71,
        Level = LogLevel.Warning,
        Message = "{Problem}. Other machines cannot connect to that port. See docker compose logs mosquitto; "
            + "without TLS for other machines set MQTT_CERTIFICATE_PORT=0"
    )]
    partial void LogUnseen(string problem);
}
