using Google.Protobuf;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>Numbered readings as an agent publishes them.</summary>
static class Samples
{
    public static ReadingBatch Batch(string device, string boot, ulong first, int count, bool replayed = false)
    {
        var batch = new ReadingBatch
        {
            DeviceId = device,
            BootId = boot,
            Replayed = replayed,
            Host = new Host { Hostname = device, StartedAtUs = 1_763_600_000_000_000 },
        };
        for (var i = 0; i < count; i++)
        {
            var sequence = first + (ulong)i;
            batch.Thermal.Add(
                new ThermalReading
                {
                    Sequence = sequence,
                    ObservedAtUs = 1_763_600_000_000_000 + (long)sequence * 1_000_000,
                    // The same again when the reading is published again.
                    Id = ByteString.CopyFrom([0x01, 0x9A, 0xA0, 0, 0, 0, 0x70, 0, .. BitConverter.GetBytes(sequence)]),
                    TemperatureC = 20 + sequence % 10,
                }
            );
        }
        return batch;
    }

    public static Payload Payload(string device, string boot, ulong first, int count) =>
        Readings.Payload.Decode(
            Batch(device, boot, first, count).ToByteArray(),
            false,
            device,
            ReadingKind.Thermal,
            DateTimeOffset.UnixEpoch
        );

    public static byte[] Record(string device, string boot, ulong first, int count) =>
        [
            .. StoredPayload.Header(false, ReadingKind.Thermal, device, DateTimeOffset.UnixEpoch),
            .. Batch(device, boot, first, count).ToByteArray(),
        ];

    public static ReadingIdentity Identity(string device, string boot, ulong sequence) => new(device, boot, ReadingKind.Thermal, sequence);
}
