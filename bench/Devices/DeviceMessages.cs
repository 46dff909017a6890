using System.Buffers.Binary;
using System.Text;
using Google.Protobuf;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Bench;

/// <summary>
/// What simulated devices publish: a reading of every value in a message of its own, as an agent with BATCH_SIZE=1 sends it. All devices
/// share a pool of packets; names, numbers and times are written when one is sent. Not thread-safe.
/// </summary>
sealed class DeviceMessages
{
    /// <summary>First sequence number of every device: five bytes on the wire, as after years.</summary>
    public const long FirstSequence = MessagePool.FirstProtobufSequence;

    const int Pooled = 500;

    /// <summary>Eight bytes as a varint, as every time of this century.</summary>
    const long Time = 1_795_000_000_000_000;

    const int TimeBytes = 8,
        IdBytes = 16;
    const string Kind = "thermal";

    readonly string bootSuffix;
    readonly Packet[] packets;
    readonly byte[] buffer;

    /// <param name="seed">Of the values, and of the devices' boot ids.</param>
    public DeviceMessages(int seed)
    {
        bootSuffix = Convert.ToHexStringLower(BitConverter.GetBytes(seed).Concat(new byte[8]).ToArray());
        packets = [.. MessagePool.Readings(seed).Take(Pooled).Select(Make)];
        buffer = new byte[packets.Max(packet => packet.Template.Packet.Length)];
    }

    /// <summary>The name of a device, which is its user name and client id too.</summary>
    public static string DeviceId(int device) => $"device-{device:000000}";

    /// <summary>A boot id of a device, 32 hexadecimal digits.</summary>
    public string BootId(int device) => $"{device:x8}{bootSuffix}";

    /// <summary>Makes a packet, valid until the next call.</summary>
    /// <param name="device">Whose it is.</param>
    /// <param name="index">Which reading of the device's, from 0.</param>
    /// <param name="packetId">Of the connection.</param>
    /// <param name="takenAtUs">When it was taken, microseconds since 1970.</param>
    /// <param name="isRepeat">Whether it may have been sent before.</param>
    public ReadOnlySpan<byte> Make(int device, int index, ushort packetId, long takenAtUs, bool isRepeat)
    {
        var packet = packets[(int)(((uint)device * 31L + index) % packets.Length)];
        var template = packet.Template;
        var target = buffer.AsSpan(0, template.Packet.Length);
        template.Packet.CopyTo(target);
        if (isRepeat)
            target[0] |= 0x08;
        BinaryPrimitives.WriteUInt16BigEndian(target[template.PacketIdAt..], packetId);
        Span<byte> name = stackalloc byte[DeviceId(0).Length];
        Encoding.ASCII.GetBytes(DeviceId(device), name);
        foreach (var at in packet.NamesAt)
            name.CopyTo(target[at..]);
        Encoding.ASCII.GetBytes(BootId(device), target[packet.BootIdAt..]);
        MessagePool.WriteVarint(target[template.SequencesAt[0]..], FirstSequence + index);
        WriteTime(target[packet.TimeAt..], takenAtUs);
        // Version 7: the time in milliseconds, then what tells readings apart.
        var id = target.Slice(packet.IdAt, IdBytes);
        BinaryPrimitives.WriteInt64BigEndian(id, takenAtUs / 1000 << 16 | 0x7000);
        BinaryPrimitives.WriteInt32BigEndian(id[8..], unchecked((int)0x80000000) | device);
        BinaryPrimitives.WriteInt32BigEndian(id[12..], index);
        return target;
    }

    static void WriteTime(Span<byte> target, long value)
    {
        for (var i = 0; i < TimeBytes - 1; i++, value >>= 7)
            target[i] = (byte)(value | 0x80);
        target[TimeBytes - 1] = (byte)value;
    }

    Packet Make(ThermalReading reading)
    {
        const int device = 999_999;
        var batch = new ReadingBatch
        {
            DeviceId = DeviceId(device),
            BootId = BootId(device),
            Host = new()
            {
                Hostname = "sensor",
                LocalHostname = "sensor.local",
                IpAddress = "192.168.1.100",
                MacAddress = "d8:3a:dd:5e:10:01",
                StartedAtUs = Time - 1,
            },
        };
        batch.Thermal.Add(new ThermalReading(reading) { Sequence = (ulong)FirstSequence, ObservedAtUs = Time });
        var payload = batch.ToByteArray();
        var template = PublishTemplate.Make(
            device,
            Topics.Readings(DeviceId(device), ReadingKind.Thermal),
            Payload.ProtobufContentType,
            payload,
            MessagePool.SequencesIn(payload)
        );
        var time = new byte[TimeBytes];
        WriteTime(time, Time);
        var packet = template.Packet.AsSpan();
        var name = Encoding.ASCII.GetBytes(DeviceId(device));
        var first = packet.IndexOf(name);
        return new Packet(
            template,
            [first, first + 1 + packet[(first + 1)..].IndexOf(name)],
            packet.IndexOf(Encoding.ASCII.GetBytes(BootId(device))),
            packet.LastIndexOf(time),
            packet.IndexOf(reading.Id.Span)
        );
    }

    sealed record Packet(PublishTemplate Template, int[] NamesAt, int BootIdAt, int TimeAt, int IdAt);
}
