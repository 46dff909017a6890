using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>What the shipped broker holds for the forwarders, after volumes were lost.</summary>
[Trait("Category", "Security")]
public sealed class ShippedBrokerVolumesTests
{
    [Theory]
    [InlineData("authority")]
    [InlineData("auth")]
    [InlineData("credentials/sensor-agent")]
    [InlineData("credentials/snowpipe-forwarder")]
    [InlineData("credentials/s3-forwarder")]
    [InlineData("authority", "auth")]
    [InlineData(
        "authority",
        "credentials/sensor-agent",
        "credentials/snowpipe-forwarder",
        "credentials/s3-forwarder",
        "credentials/publisher",
        "credentials/console",
        "credentials/cli"
    )]
    public async Task The_forwarders_find_what_is_queued_for_them_after_the_loss_of_volumes(params string[] volumes)
    {
        await using var broker = await ShippedBroker.StartAsync();
        var identity = broker.Installation;
        await QueueAsync(broker, "snowpipe-forwarder", "thermal", 20);
        await QueueAsync(broker, "s3-forwarder", "inverter", 20);
        await broker.StopAsync();

        foreach (var volume in volumes)
            broker.LoseVolume(volume);
        await broker.SetUpAsync();
        await broker.StartAgainAsync();

        Assert.Equal(identity, broker.Installation);
        Assert.Equal("", (await broker.BrokerAsync("", "orphans")).OrThrow().Output);
        // TLS works with what setup made again.
        Assert.NotNull(ShippedBrokerCertificateTests.NamesOf(broker));
        foreach (var service in new[] { "snowpipe-forwarder", "s3-forwarder" })
        {
            var (user, password) = broker.Slot(service, 0);
            var resumed = await SessionAsync(broker, user, password, service, "-C", "20", "-W", "20");
            Assert.Equal(
                Enumerable.Range(0, 20).Select(i => $"reading-{i}"),
                resumed.Output.Split('\n').Where(line => line.StartsWith("reading-", StringComparison.Ordinal))
            );
        }
    }

    [Fact]
    public async Task Sessions_of_a_lost_identity_are_named_with_what_they_hold_and_can_be_adopted()
    {
        await using var broker = await ShippedBroker.StartAsync();
        var (lost, lostIdentity) = (broker.Slot("snowpipe-forwarder", 0).User, broker.Installation);
        await QueueAsync(broker, "snowpipe-forwarder", "thermal", 20);
        await broker.StopAsync();
        Assert.DoesNotContain(broker.Log, line => line.Contains("nobody connects as", StringComparison.Ordinal));

        foreach (
            var volume in new[]
            {
                "authority",
                "auth",
                "credentials/sensor-agent",
                "credentials/snowpipe-forwarder",
                "credentials/s3-forwarder",
                "credentials/publisher",
                "credentials/console",
                "credentials/cli",
            }
        )
            broker.LoseVolume(volume);
        await broker.SetUpAsync();
        Assert.NotEqual(lostIdentity, broker.Installation);
        await broker.StartAgainAsync();

        var warning = Assert.Single(broker.Log, line => line.Contains("nobody connects as", StringComparison.Ordinal));
        Assert.Contains($"nobody connects as {lost}:", warning, StringComparison.Ordinal);
        Assert.Contains("about 20 messages", warning, StringComparison.Ordinal);
        Assert.Contains($"setup adopt {lostIdentity} ", warning, StringComparison.Ordinal);
        Assert.Equal($"{lost} 20", (await broker.BrokerAsync("", "orphans")).OrThrow().Output);

        (await broker.SetUpAsync("adopt", lostIdentity)).OrThrow();
        await broker.StopAsync();
        await broker.StartAgainAsync();

        Assert.Equal((lost, ""), (broker.Slot("snowpipe-forwarder", 0).User, (await broker.BrokerAsync("", "orphans")).OrThrow().Output));
        var found = await SessionAsync(broker, lost, broker.Password("snowpipe-forwarder"), "snowpipe-forwarder", "-C", "20", "-W", "20");
        Assert.Equal(20, found.Output.Split('\n').Count(line => line.StartsWith("reading-", StringComparison.Ordinal)));
        foreach (var wrong in new[] { "", "0123456", "012345678", "0123ABCD", "../../x" })
            Assert.NotEqual(0, (await broker.SetUpAsync("adopt", wrong)).ExitCode);
    }

    static string Shared(string service) => $"$share/{service}/telemetry/v1/+/{(service == "s3-forwarder" ? "inverter" : "thermal")}";

    /// <summary>Connects to a session that the broker keeps, as a slot of the service, and does what the options of mosquitto_sub say.</summary>
    internal static Task<ToolResult> SessionAsync(
        ShippedBroker broker,
        string user,
        string password,
        string service,
        params string[] options
    ) =>
        broker.ToolAsync("mosquitto_sub", user, password, ["-i", user, "-c", "-x", "100000", "-q", "1", "-t", Shared(service), .. options]);

    /// <summary>Makes a session of the service's first slot, without a connection, that holds so many readings.</summary>
    static async Task QueueAsync(ShippedBroker broker, string service, string kind, int count)
    {
        var (user, password) = broker.Slot(service, 0);
        await SessionAsync(broker, user, password, service, "-E");
        for (var i = 0; i < count; i++)
            Assert.Equal(
                0,
                await broker.PublishAsync(
                    "sensor-agent",
                    broker.Password("sensor-agent"),
                    $"telemetry/v1/pi/{kind}",
                    Encoding.UTF8.GetBytes($"reading-{i}")
                )
            );
    }
}
