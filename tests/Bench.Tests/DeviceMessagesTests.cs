using ThermalStreaming.Readings;

namespace ThermalStreaming.Bench.Tests;

/// <summary>What simulated devices publish.</summary>
public sealed class DeviceMessagesTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(123_456, 7)]
    [InlineData(99_999, 123_456)]
    public void A_message_is_a_reading_of_its_device_with_its_number_and_time(int device, int index)
    {
        const long takenAt = 1_796_000_000_123_000;
        var messages = new DeviceMessages(seed: 3);

        var packet = messages.Make(device, index, packetId: 0x1234, takenAt, isRepeat: true).ToArray();

        Assert.Equal(0x3A, packet[0]);
        var at = 1;
        while (packet[at++] >= 0x80) { }
        var topicLength = packet[at] << 8 | packet[at + 1];
        var topic = System.Text.Encoding.UTF8.GetString(packet, at + 2, topicLength);
        Assert.Equal(Topics.Readings(DeviceMessages.DeviceId(device), ReadingKind.Thermal), topic);
        at += 2 + topicLength;
        Assert.Equal(0x1234, packet[at] << 8 | packet[at + 1]);
        var batch = ReadingBatch.Parser.ParseFrom(packet, at + 3 + packet[at + 2], packet.Length - at - 3 - packet[at + 2]);
        var reading = Assert.Single(batch.Thermal);
        Assert.Equal((DeviceMessages.DeviceId(device), messages.BootId(device)), (batch.DeviceId, batch.BootId));
        Assert.Equal(((ulong)(DeviceMessages.FirstSequence + index), takenAt), (reading.Sequence, reading.ObservedAtUs));
        Assert.Equal(32, batch.BootId.Length);
        Assert.Equal(7, reading.Id[6] >> 4);
        Assert.InRange(reading.TemperatureC, -10, 60);
    }

    [Theory]
    [InlineData(100, 20_000, 100)]
    [InlineData(19_000, 20_000, 19_000)]
    [InlineData(100_000, 20_000, 12_500)]
    [InlineData(100_000, 200_000, 100_000)]
    [InlineData(97, 950, 1)]
    public void Devices_share_connections_where_descriptors_are_few(int devices, long descriptors, int connections) =>
        Assert.Equal(connections, FleetOptions.ConnectionsOf(devices, descriptors));
}
