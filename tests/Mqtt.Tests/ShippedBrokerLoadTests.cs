using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>What the shipped broker takes in memory and writes to the disk while forwarders are away.</summary>
[Trait("Category", "Security")]
public sealed class ShippedBrokerLoadTests
{
    [Fact]
    public async Task Large_messages_for_absent_forwarders_do_not_take_more_memory_than_the_container_has()
    {
        // The container's limit, of which the broker takes three quarters; four sessions may queue 16 MiB each.
        const long ContainerBytes = 64 << 20;
        const int MessageBytes = 4 << 20,
            Messages = 40;
        await using var broker = await ShippedBroker.StartAsync(
            ("MOSQUITTO_MEMORY_LIMIT", ContainerBytes.ToString(CultureInfo.InvariantCulture))
        );
        var (sender, password) = ("sensor-agent", broker.Password("sensor-agent"));
        for (var slot = 0; slot < 4; slot++)
        {
            var (user, secret) = broker.Slot("snowpipe-forwarder", slot);
            await ShippedBrokerVolumesTests.SessionAsync(broker, user, secret, "snowpipe-forwarder", "-E");
        }
        var payload = new byte[MessageBytes];
        new Random(0).NextBytes(payload);
        var mosquitto = broker.MosquittoId;

        var reasons = new List<int>();
        for (var message = 0; message < Messages; message++)
            reasons.Add(await broker.PublishAsync(sender, password, "telemetry/v1/pi/thermal", payload));

        Assert.True(
            reasons.Exists(reason => reason == 0) && reasons.Exists(reason => reason != 0),
            $"not some taken and some refused: {string.Join(' ', reasons)}"
        );
        await ServesAsync(mosquitto);
        await broker.StopAsync();
        await broker.StartAgainAsync();
        await ServesAsync(broker.MosquittoId);

        // What it took is there, whole.
        var received = 0;
        for (var slot = 0; slot < 4; slot++)
        {
            var (user, secret) = broker.Slot("snowpipe-forwarder", slot);
            var sizes = await ShippedBrokerVolumesTests.SessionAsync(
                broker,
                user,
                secret,
                "snowpipe-forwarder",
                "-F",
                "size %l",
                "-W",
                "5"
            );
            received += sizes.Output.Split('\n').Count(line => line == $"size {MessageBytes}");
        }
        Assert.InRange(received, 1, reasons.Count(reason => reason == 0));

        async Task ServesAsync(int process)
        {
            Assert.Equal(process, broker.MosquittoId);
            Assert.InRange(PeakMemory(process), 1, ContainerBytes);
            Assert.Equal(0, (await broker.BrokerAsync("", "healthy")).ExitCode);
            Assert.InRange(await broker.PublishAsync(sender, password, "telemetry/v1/pi/inverter"), 0, 16);
        }
    }

    [Fact]
    public async Task With_a_forwarder_away_for_a_day_the_saves_write_less_than_2_gb()
    {
        // Saves come every second here and every half hour as shipped: what one writes is what counts.
        await using var broker = await ShippedBroker.StartAsync(("MQTT_AUTOSAVE_SECONDS", "1"));
        var esp = await broker.EnrollAsync("esp");
        foreach (var (service, kind) in new[] { ("snowpipe-forwarder", "thermal"), ("s3-forwarder", "inverter") })
        {
            var (user, password) = broker.Slot(service, 0);
            await ShippedBrokerVolumesTests.SessionAsync(broker, user, password, service, "-E");
        }
        await using var device = new MqttClient(
            new MqttOptions
            {
                Host = "127.0.0.1",
                Port = broker.Port,
                ClientId = "esp",
                UserName = "esp",
                Password = esp,
            },
            TimeProvider.System,
            NullLogger.Instance
        );
        using var stop = new CancellationTokenSource();
        var running = device.RunAsync(stop.Token);
        // 40 MB for each forwarder, more than twice what the broker keeps for one.
        foreach (var kind in new[] { "thermal", "inverter" })
            await Task.WhenAll(
                Enumerable
                    .Range(0, 20_000)
                    .Select(_ => device.PublishAsync($"telemetry/v1/esp/{kind}", new byte[2_000], MqttQos.AtLeastOnce))
            );

        var mosquitto = broker.MosquittoId;
        const int Saves = 4;
        var (written, saves, last) = (0L, -1, DateTime.MinValue);
        await Wait.UntilAsync(
            () =>
            {
                device.PublishAsync("telemetry/v1/esp/status", new byte[1], MqttQos.AtLeastOnce).Wait();
                if (File.GetLastWriteTimeUtc(broker.DatabaseFile) is var saved && saved != last)
                    (saves, last) = (saves + 1, saved);
                if (saves == 0 && written == 0)
                    written = Written(mosquitto);
                return saves == Saves;
            },
            "the broker has saved"
        );
        var each = (Written(mosquitto) - written) / Saves;

        // It has kept what it may (otherwise there would be nothing to measure), and writes it 48 times a day.
        Assert.InRange(new FileInfo(broker.DatabaseFile).Length, 2 * 14_000_000, 2 * 18_000_000);
        Assert.InRange(each * 48, 1, 2_000_000_000);
        await stop.CancelAsync();
        await running;
    }

    /// <summary>The most memory that a process has had, in bytes.</summary>
    static long PeakMemory(int process) =>
        1024
        * long.Parse(
            File.ReadLines($"/proc/{process}/status")
                .Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture
        );

    /// <summary>Bytes that a process has written since its start, to files, pipes and sockets.</summary>
    static long Written(int process) =>
        long.Parse(
            File.ReadAllLines($"/proc/{process}/io").Single(line => line.StartsWith("wchar", StringComparison.Ordinal)).Split(' ')[1],
            CultureInfo.InvariantCulture
        );
}
