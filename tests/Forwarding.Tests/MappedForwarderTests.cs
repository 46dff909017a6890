using System.Text;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>A forwarder with mappings against a real broker.</summary>
public sealed class MappedForwarderTests(ITestOutputHelper output) : ForwarderTest(output)
{
    Task<Replica> StartAsync(params string[] mappings) =>
        Replica.StartAsync(
            Replica.Options(directory.Path, broker.Port, mappings: MappedIntakeTests.Mappings(mappings)),
            destination.CreateSink
        );

    Task SendAsync(string topic, string payload) => PublishAsync(topic, Encoding.UTF8.GetBytes(payload), null);

    string Devices() => string.Join(' ', destination.Rows.Select(row => row.DeviceId).Order(StringComparer.Ordinal));

    [Fact]
    public async Task Messages_of_every_product_become_rows_once()
    {
        await using var replica = await StartAsync("tasmota", "zigbee2mqtt", "shelly", "esphome", "statestream");
        await SendAsync("tele/garden/SENSOR", """{"Time":"2026-11-20T10:13:48","BME280":{"Temperature":21.5},"TempUnit":"C"}""");
        await SendAsync("zigbee2mqtt/kitchen/air", """{"temperature":21.5}""");
        await SendAsync("shed/events/rpc", """{"params":{"ts":1680962879.62,"temperature:0":{"tC":19.8}}}""");
        // Two subscriptions would take it if the narrower one were made too.
        await SendAsync("homeassistant_state/sensor/living_co2/state", "655");
        await SendAsync("node/sensor/x_temperature/state", "21.5");
        await SendAsync("node/sensor/uptime/state", "21.5");
        await PublishAsync("pi", 1, 1);

        await DeliveredAsync(6);
        await Eventually.TrueAsync(() => replica.Metrics.UnmappedTotal == 1);
        Assert.Equal("garden node pi shed statestream:living zigbee2mqtt:kitchen:air", Devices());
        Assert.Equal("node/sensor/uptime/state", replica.Metrics.LastUnmapped);
    }

    [Fact]
    public async Task A_mapping_that_is_switched_off_strands_nothing_and_its_subscription_ends()
    {
        destination.HoldCommits = true;
        await using (var replica = await StartAsync("tasmota", "statestream"))
        {
            await SendAsync("tele/garden/SENSOR", """{"BME280":{"Temperature":21.5}}""");
            await Eventually.TrueAsync(() => replica.Metrics.StoredTotal == 1);
        }
        // While the forwarder is away the broker keeps it for the session.
        await SendAsync("homeassistant_state/sensor/living_co2/state", "655");
        destination.HoldCommits = false;

        await using (var replica = await StartAsync("zigbee2mqtt"))
        {
            // The journal holds readings, not messages: no mapping is needed to deliver them.
            await DeliveredAsync(1);
            await Eventually.TrueAsync(() =>
                File.ReadAllText(directory.File("slots/slot-0/subscriptions")) is var text
                && !text.Contains("/tele/", StringComparison.Ordinal)
            );
            await Eventually.TrueAsync(() => replica.Figure("thermal.forwarder.dead_letters") == 1);
        }
        Assert.Equal("garden", Devices());
        Assert.Equal("homeassistant_state/sensor/living_co2/state", Assert.Single(DeadLetters.ReadAll(DeadLettersDirectory)).Topic);
        Assert.Equal(
            MqttReasonCode.NoMatchingSubscribers,
            await publisher.PublishAsync("tele/garden/SENSOR", "{}"u8.ToArray(), MqttQos.AtLeastOnce)
        );

        // With the mapping, the letter is taken in.
        await using (var replica = await StartAsync("statestream"))
        {
            ReplayAll();
            await ReplayedAsync(replica);
            await DeliveredAsync(2);
        }
        Assert.Equal("garden statestream:living", Devices());
    }

    [Fact]
    public async Task A_slot_whose_subscriptions_cannot_be_remembered_works_all_the_same()
    {
        Directory.CreateDirectory(directory.File("slots/slot-0/subscriptions"));
        await using var replica = await StartAsync("tasmota");

        await SendAsync("tele/garden/SENSOR", """{"BME280":{"Temperature":21.5}}""");

        await DeliveredAsync(1);
    }

    [Fact]
    public async Task A_slot_without_an_owner_is_emptied_of_mapped_messages_too()
    {
        await using (await StartAsync("tasmota")) { }
        await using var second = new SlotHolder(directory.Path);
        Assert.Equal(0, second.Number);
        await using var replica = await StartAsync("tasmota");
        await SendAsync("tele/garden/SENSOR", """{"BME280":{"Temperature":21.5}}""");
        await SendAsync("tele/garden/SENSOR", """{"BME280":{"Temperature":22.5}}""");
        second.Release();

        await DeliveredAsync(2);
        // The first slot was adopted, its subscriptions ended, and it was retired.
        await Eventually.TrueAsync(() => !Directory.Exists(directory.File("slots/slot-0")), seconds: 60);
        await SendAsync("tele/garden/SENSOR", """{"BME280":{"Temperature":23.5}}""");
        await SendAsync("tele/garden/SENSOR", """{"BME280":{"Temperature":24.5}}""");
        await DeliveredAsync(4);
        Assert.Equal("garden garden garden garden", Devices());
    }

    /// <summary>Holds the first slot, so that the replica takes the second.</summary>
    sealed class SlotHolder(string dataDirectory) : IAsyncDisposable
    {
        IDisposable? held = SlotDirectory.TryHold(dataDirectory, "slot-0") ?? throw new InvalidOperationException("slot-0 has an owner");

        public int Number => held is null ? -1 : 0;

        public void Release() => Interlocked.Exchange(ref held, null)?.Dispose();

        public ValueTask DisposeAsync()
        {
            Release();
            return ValueTask.CompletedTask;
        }
    }
}
