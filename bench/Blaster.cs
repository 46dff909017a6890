using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ThermalStreaming.Bench;

/// <summary>
/// A publisher that costs next to nothing: MQTT 5 packets encoded beforehand, QoS 1, a bounded window, PUBACKs counted. What it says it has published, the
/// broker has acknowledged.
/// </summary>
sealed class Blaster : IDisposable
{
    const int Window = 900;

    readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    readonly byte[] received = new byte[64 * 1024];
    long acknowledged;

    public Blaster(int port)
    {
        socket.Connect(IPAddress.Loopback, port);
        byte[] clientId = [.. Encoding.ASCII.GetBytes($"blaster-{Random.Shared.Next():x}")];
        byte[] body = [0, 4, .. "MQTT"u8, 5, 2, 0, 0, 0, .. Prefixed(clientId)];
        socket.Send([0x10, .. Length(body.Length), .. body]);
        var read = socket.Receive(received);
        if (read < 4 || received[0] != 0x20 || received[3] != 0)
            throw new InvalidOperationException("the broker refused the publisher");
    }

    public long Acknowledged => Volatile.Read(ref acknowledged);

    /// <summary>Publishes everything and returns when the last is acknowledged.</summary>
    public void Publish(string topic, string contentType, IReadOnlyList<byte[]> payloads)
    {
        byte[] head = [.. Prefixed(Encoding.ASCII.GetBytes(topic)), 0, 0];
        byte[] type = Prefixed(Encoding.ASCII.GetBytes(contentType));
        byte[] properties = [(byte)(type.Length + 1), 3, .. type];
        var target = acknowledged + payloads.Count;
        using var room = new SemaphoreSlim(Window);
        var reader = new Thread(() => Count(target, room)) { IsBackground = true };
        reader.Start();
        var buffer = new byte[256 * 1024];
        var used = 0;
        for (var i = 0; i < payloads.Count; i++)
        {
            var payload = payloads[i];
            if (room.CurrentCount == 0 || used + payload.Length + 256 > buffer.Length)
            {
                socket.Send(buffer.AsSpan(0, used));
                used = 0;
            }
            room.Wait();
            buffer[used++] = 0x32;
            foreach (var b in Length(head.Length + properties.Length + payload.Length))
                buffer[used++] = b;
            head.CopyTo(buffer, used);
            BinaryPrimitives.WriteUInt16BigEndian(buffer.AsSpan(used + head.Length - 2), (ushort)(i % 65_000 + 1));
            used += head.Length;
            properties.CopyTo(buffer, used);
            used += properties.Length;
            if (used + payload.Length > buffer.Length)
                Array.Resize(ref buffer, used + payload.Length + 256);
            payload.CopyTo(buffer, used);
            used += payload.Length;
        }
        socket.Send(buffer.AsSpan(0, used));
        reader.Join();
    }

    public void Dispose() => socket.Dispose();

    void Count(long target, SemaphoreSlim room)
    {
        var held = 0;
        while (acknowledged < target)
        {
            var read = socket.Receive(received, held, received.Length - held, SocketFlags.None);
            if (read == 0)
                throw new InvalidOperationException("the broker closed the publisher's connection");
            held += read;
            int at = 0, count = 0;
            while (held - at >= 2 && held - at >= 2 + received[at + 1])
            {
                if (received[at] == 0x40)
                    count++;
                at += 2 + received[at + 1];
            }
            Buffer.BlockCopy(received, at, received, 0, held - at);
            held -= at;
            if (count == 0)
                continue;
            room.Release(count);
            Volatile.Write(ref acknowledged, acknowledged + count);
        }
    }

    static byte[] Prefixed(byte[] bytes) => [(byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];

    static byte[] Length(int value)
    {
        var bytes = new List<byte>(4);
        do
        {
            bytes.Add((byte)(value % 128 | (value >= 128 ? 128 : 0)));
            value /= 128;
        }
        while (value > 0);
        return [.. bytes];
    }
}
