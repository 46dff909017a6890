using System.Buffers;
using System.Text.Json;
using Google.Protobuf;
using ThermalStreaming.Readings;
using ThermalStreaming.SensorAgent;

namespace ThermalStreaming.Bench;

/// <summary>Readings as the agent takes them: its simulation, every sensor present, the 25 keys filled.</summary>
static class Payloads
{
    const string Device = "raspberrypi";

    /// <summary>Serialised batches of so many readings each, numbered without a gap from <paramref name="first"/>.</summary>
    public static List<byte[]> Protobuf(string boot, ulong first, int messages, int readings)
    {
        var environment = new SimulatedEnvironment(1);
        var random = new Random(1);
        var list = new List<byte[]>(messages);
        var now = TimeProvider.System.GetUtcNow();
        for (var i = 0; i < messages; i++)
        {
            var batch = new ReadingBatch
            {
                DeviceId = Device,
                BootId = boot,
                Host = new Host { Hostname = Device, LocalHostname = $"{Device}.local", IpAddress = "192.168.1.42", MacAddress = "d8:3a:dd:12:34:56", StartedAtUs = Instants.ToMicroseconds(now) },
            };
            for (var j = 0; j < readings; j++)
            {
                var at = now.AddMilliseconds(500.0 * (i * readings + j));
                var reading = new ThermalReading
                {
                    Sequence = first + (ulong)(i * readings + j),
                    ObservedAtUs = Instants.ToMicroseconds(at) + random.Next(1000),
                    Id = ByteString.CopyFrom(Guid.CreateVersion7(at).ToByteArray(bigEndian: true)),
                    DurationUs = (uint)random.Next(900, 1500),
                    CpuTemperatureC = 50 + random.Next(0, 30) / 10.0,
                    CpuPercent = random.Next(20, 200) / 10.0,
                    MemoryPercent = 31 + random.Next(0, 10) / 10.0,
                    DiskFreeMb = (ulong)(23_000 - i / 100),
                };
                environment.AddTo(reading, at, TimeSpan.FromMilliseconds(500));
                batch.Thermal.Add(reading);
            }
            list.Add(batch.ToByteArray());
        }
        return list;
    }

    /// <summary>One reading each, as JSON with the keys of a row: what an ESP32 or the original's client would send.</summary>
    public static List<byte[]> Json(string boot, ulong first, int messages)
    {
        var list = new List<byte[]>(messages);
        foreach (var bytes in Protobuf(boot, first, messages, 1))
        {
            var payload = Payload.Decode(bytes, isJson: false, Device, ReadingKind.Thermal, TimeProvider.System.GetUtcNow());
            var buffer = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(buffer))
                payload.WriteRow(0, json, default);
            var text = buffer.WrittenSpan;
            // Without what only a forwarder adds.
            var end = text.IndexOf(",\"forwarded_at\""u8);
            list.Add([.. text[..end], (byte)'}']);
        }
        return list;
    }
}
