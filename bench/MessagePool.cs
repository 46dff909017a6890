using System.Buffers.Binary;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;
using ThermalStreaming.Readings;
using ThermalStreaming.SensorAgent;
using Host = ThermalStreaming.Readings.Host;

namespace ThermalStreaming.Bench;

/// <summary>
/// PUBLISH packets made in advance, of which only the packet id and the sequence numbers are written when one is sent: what the agent's
/// simulation delivers every half second, for several devices. There are so many that compressing the rows finds no repetition within its
/// window.
/// </summary>
sealed class MessagePool
{
    /// <summary>Numbers from here on take five bytes as a varint.</summary>
    public const long FirstProtobufSequence = 1L << 28;

    /// <summary>Numbers from here on take ten digits.</summary>
    const long FirstJsonSequence = 1_000_000_000;

    const int Devices = 10;
    const int PooledReadings = 6_000;

    readonly bool isJson;
    readonly PublishTemplate[] templates;
    readonly long[] nextSequence = new long[Devices];

    MessagePool(bool isJson, PublishTemplate[] templates)
    {
        this.isJson = isJson;
        this.templates = templates;
        Array.Fill(nextSequence, isJson ? FirstJsonSequence : FirstProtobufSequence);
    }

    /// <summary>Mean bytes of payload of a message.</summary>
    public double PayloadBytes => templates.Average(template => template.PayloadBytes);

    public int LargestPacket => templates.Max(template => template.Packet.Length);

    public static MessagePool Protobuf(string kind, int readingsPerMessage, int seed)
    {
        var boots = BootIds(seed);
        return new MessagePool(
            isJson: false,
            [
                .. Readings(seed)
                    .Chunk(readingsPerMessage)
                    .Select(
                        (readings, index) =>
                        {
                            var device = index % Devices;
                            var batch = new ReadingBatch
                            {
                                DeviceId = DeviceId(device),
                                BootId = boots[device],
                                Host = HostOf(device),
                            };
                            batch.Thermal.AddRange(
                                readings.Select(reading => new ThermalReading(reading) { Sequence = FirstProtobufSequence })
                            );
                            var payload = batch.ToByteArray();
                            return PublishTemplate.Make(
                                device,
                                Topic(device, kind),
                                Payload.ProtobufContentType,
                                payload,
                                SequencesIn(payload)
                            );
                        }
                    ),
            ]
        );
    }

    /// <summary>One reading as an ESP32 would send it, about 640 bytes.</summary>
    public static MessagePool Json(string kind, int seed)
    {
        var boots = BootIds(seed);
        return new MessagePool(
            isJson: true,
            [
                .. Readings(seed)
                    .Select(
                        (reading, index) =>
                        {
                            var device = index % Devices;
                            var payload = JsonOf(reading, DeviceId(device), boots[device], HostOf(device));
                            return PublishTemplate.Make(
                                device,
                                Topic(device, kind),
                                contentType: null,
                                payload,
                                [payload.AsSpan().IndexOf("\"sequence\":"u8) + "\"sequence\":"u8.Length]
                            );
                        }
                    ),
            ]
        );
    }

    /// <summary>Writes message number <paramref name="index"/>; returns its length.</summary>
    public int Write(long index, ushort packetId, Span<byte> target)
    {
        var template = templates[index % templates.Length];
        template.Packet.CopyTo(target);
        BinaryPrimitives.WriteUInt16BigEndian(target[template.PacketIdAt..], packetId);
        ref var sequence = ref nextSequence[template.Device];
        foreach (var at in template.SequencesAt)
        {
            if (isJson)
                sequence.TryFormat(target[at..], out _, default, CultureInfo.InvariantCulture);
            else
                WriteVarint(target[at..], sequence);
            sequence++;
        }
        return template.Packet.Length;
    }

    /// <summary>A number of <see cref="FirstProtobufSequence"/> or more, in five bytes.</summary>
    public static void WriteVarint(Span<byte> target, long value)
    {
        for (var i = 0; i < 4; i++, value >>= 7)
            target[i] = (byte)(value | 0x80);
        target[4] = (byte)value;
    }

    static string Topic(int device, string kind) => $"telemetry/v1/{DeviceId(device)}/{kind}";

    static string DeviceId(int device) => $"greenhouse-{device:00}";

    static string[] BootIds(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Devices).Select(_ => Convert.ToHexStringLower(Bytes(random, 16)))];
    }

    static Host HostOf(int device) =>
        new()
        {
            Hostname = DeviceId(device),
            LocalHostname = DeviceId(device) + ".local",
            IpAddress = $"192.168.1.{100 + device}",
            MacAddress = $"d8:3a:dd:5e:10:{device:x2}",
            StartedAtUs = 1_795_000_000_123_456,
        };

    /// <summary>Readings half a second apart with every value delivered.</summary>
    public static IEnumerable<ThermalReading> Readings(int seed)
    {
        var random = new Random(seed);
        var environment = new SimulatedEnvironment(seed, TimeSpan.FromMinutes(10));
        var (now, step) = (DateTimeOffset.FromUnixTimeMilliseconds(1_795_100_000_000), TimeSpan.FromMilliseconds(500));
        for (var made = 0; made < PooledReadings; )
        {
            now += step;
            var observed = now.AddTicks(random.Next(20_000));
            var id = Bytes(random, 16);
            BinaryPrimitives.WriteInt64BigEndian(id, observed.ToUnixTimeMilliseconds() << 16 | 0x7000u | (uint)random.Next(0x1000));
            id[8] = (byte)(id[8] & 0x3F | 0x80);
            var reading = new ThermalReading
            {
                Id = ByteString.CopyFrom(id),
                ObservedAtUs = Instants.ToMicroseconds(observed),
                DurationUs = (uint)random.Next(60, 900),
                CpuTemperatureC = 48 + 0.487 * random.Next(8),
                CpuPercent = 20 * random.NextDouble(),
                MemoryPercent = 31 + 0.5 * random.NextDouble(),
                DiskFreeMb = 23_456 - (ulong)(made / 50),
            };
            environment.AddTo(reading, now);
            if (!reading.HasTemperatureC || !reading.HasPressurePa || !reading.HasTvocPpb)
                continue;
            made++;
            yield return reading;
        }
    }

    static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Where the sequence numbers stand: the first field of each reading, the fifth of the batch.</summary>
    public static int[] SequencesIn(byte[] payload)
    {
        var found = new List<int>();
        var input = new CodedInputStream(payload);
        while (input.ReadTag() is > 0 and var tag)
        {
            if (WireFormat.GetTagFieldNumber(tag) != ReadingBatch.ThermalFieldNumber)
            {
                input.SkipLastField();
                continue;
            }
            var reading = input.ReadBytes();
            found.Add((int)input.Position - reading.Length + 1);
        }
        return [.. found];
    }

    static byte[] JsonOf(ThermalReading reading, string deviceId, string bootId, Host host)
    {
        using var stream = new MemoryStream();
        // Python's json, and whatever else runs on small devices, escapes no '+'.
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            var observed = Instants.FromMicroseconds(reading.ObservedAtUs).UtcDateTime;
            var uuid = new Guid(reading.Id.Span, bigEndian: true);
            json.WriteStartObject();
            json.WriteString("uuid", uuid);
            json.WriteString("rowid", $"{observed:yyyyMMddHHmmss}_{uuid}");
            json.WriteString("ipaddress", host.IpAddress);
            json.WriteString("macaddress", host.MacAddress);
            json.WriteString("host", host.Hostname);
            json.WriteString("hostname", host.Hostname);
            json.WriteNumber("cputempf", (int)(reading.CpuTemperatureC * 9 / 5 + 32));
            json.WriteString("systemtime", observed.ToString("MM/dd/yyyy HH:mm:ss", CultureInfo.InvariantCulture));
            json.WriteNumber("ts", reading.ObservedAtUs / 1_000_000);
            json.WriteString("datetimestamp", observed.ToString("yyyy-MM-ddTHH:mm:ss.ffffff+00:00", CultureInfo.InvariantCulture));
            json.WriteNumber("cpu", Math.Round(reading.CpuPercent, 1));
            json.WriteNumber("memory", Math.Round(reading.MemoryPercent, 1));
            json.WriteString("diskusage", $"{reading.DiskFreeMb} MB");
            json.WriteNumber("temperature", reading.TemperatureC);
            json.WriteNumber("humidity", reading.HumidityPercent);
            json.WriteNumber("co2", reading.Co2Ppm);
            json.WriteNumber("pressure", reading.PressurePa);
            json.WriteNumber("temperatureicp", reading.IcpTemperatureF);
            json.WriteNumber("equivalentco2ppm", reading.EquivalentCo2Ppm);
            json.WriteNumber("totalvocppb", reading.TvocPpb);
            json.WriteString("device_id", deviceId);
            json.WriteString("boot_id", bootId);
            json.WriteNumber("sequence", FirstJsonSequence);
            json.WriteEndObject();
        }
        return stream.ToArray();
    }
}
