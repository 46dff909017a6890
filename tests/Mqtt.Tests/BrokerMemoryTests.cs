using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>The shipped broker with the memory limit that it has in a container.</summary>
[Trait("Category", "Security")]
public sealed class BrokerMemoryTests
{
    [Fact]
    public async Task Users_that_are_changed_many_times_do_not_make_the_broker_run_out_of_memory()
    {
        await using var broker = await ShippedBroker.StartAsync(("MOSQUITTO_MEMORY_LIMIT", "536870912"));
        var mosquitto = broker.MosquittoId;

        for (var i = 0; i < 20; i++)
        {
            var password = await broker.EnrollAsync("esp", renew: i > 0);
            Assert.InRange(await broker.PublishAsync("esp", password, "telemetry/v1/esp/thermal"), 0, 16);
        }
        await broker.RotateAsync("snowpipe-forwarder");

        Assert.InRange(await broker.PublishAsync("sensor-agent", broker.Password("sensor-agent"), "telemetry/v1/pi/thermal"), 0, 16);
        Assert.Equal(mosquitto, broker.MosquittoId);
        Assert.DoesNotContain(broker.Log, line => line.Contains("out of memory", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Beyond_its_limit_the_broker_refuses_large_messages_and_goes_on_with_small_ones()
    {
        // Three quarters, 12 MiB, are less than what may queue for a forwarder.
        await using var broker = await ShippedBroker.StartAsync(("MOSQUITTO_MEMORY_LIMIT", "16777216"));
        var mosquitto = broker.MosquittoId;
        var (slot, secret) = broker.Slot("snowpipe-forwarder", 0);
        await broker.ToolAsync(
            "mosquitto_sub",
            slot,
            secret,
            "-i",
            slot,
            "-c",
            "-x",
            "3600",
            "-q",
            "1",
            "-t",
            "telemetry/v1/+/thermal",
            "-E"
        );

        var taken = 0;
        while (taken < 16 && await PublishAsync() == 0)
            taken++;

        Assert.InRange(taken, 4, 12);
        Assert.Equal(mosquitto, broker.MosquittoId);
        Assert.Equal(0, (await broker.BrokerAsync("", "healthy")).ExitCode);
        for (var i = 0; i < 20; i++)
            Assert.Equal(0, await broker.PublishAsync("sensor-agent", broker.Password("sensor-agent"), "telemetry/v1/pi/thermal"));
        Assert.Equal(mosquitto, broker.MosquittoId);

        Task<int> PublishAsync() =>
            broker.PublishAsync("sensor-agent", broker.Password("sensor-agent"), "telemetry/v1/pi/thermal", new byte[1 << 20]);
    }
}
