using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>The broker's side of one connection.</summary>
sealed class FakeConnection(Socket socket, CancellationToken stop) : IDisposable
{
    public CancellationToken Stop => stop;

    public int Available => socket.Available;

    /// <summary>The next packet but pings, which are answered: its first byte, and what follows the remaining length.</summary>
    public async Task<(byte First, byte[] Body)> ReadAsync(bool answerPings = true)
    {
        while (true)
        {
            var first = (await ReadExactlyAsync(1))[0];
            var length = 0;
            for (var shift = 0; ; shift += 7)
            {
                var next = (await ReadExactlyAsync(1))[0];
                length |= (next & 0x7F) << shift;
                if (next < 0x80)
                    break;
            }
            var body = await ReadExactlyAsync(length);
            if (first != ServerPackets.Pingreq || !answerPings)
                return (first, body);
            await SendAsync(ServerPackets.PingResponse);
        }
    }

    /// <summary>The next packet, which must start with this byte unless the client takes its leave.</summary>
    public async Task<byte[]> ReadAsync(byte first)
    {
        var packet = await ReadAsync();
        if (packet.First == ServerPackets.Disconnect && first != ServerPackets.Disconnect)
            throw new EndOfStreamException();
        Assert.Equal(first, packet.First);
        return packet.Body;
    }

    /// <summary>Takes CONNECT and accepts it.</summary>
    /// <param name="sessionPresent">What CONNACK says.</param>
    public async Task<byte[]> AcceptAsync(bool sessionPresent = false)
    {
        var connect = await ReadAsync(ServerPackets.Connect);
        await SendAsync(ServerPackets.Connack(sessionPresent));
        return connect;
    }

    /// <summary>Takes CONNECT and accepts it with these properties.</summary>
    public async Task<byte[]> AcceptAsync(params byte[][] properties)
    {
        var connect = await ReadAsync(ServerPackets.Connect);
        await SendAsync(ServerPackets.Connack(properties: properties));
        return connect;
    }

    /// <summary>Takes SUBSCRIBE and grants it, for one filter.</summary>
    public async Task GrantAsync(MqttReasonCode reason = MqttReasonCode.GrantedQos1)
    {
        var body = await ReadAsync(ServerPackets.Subscribe);
        await SendAsync(ServerPackets.Suback(body, reason));
    }

    /// <summary>Takes a PUBLISH of QoS 1 with a short topic and no properties.</summary>
    public async Task<(bool Duplicate, ushort Id, string Payload)> ReadPublishAsync()
    {
        var (first, body) = await ReadAsync();
        Assert.Equal(0x32, first & 0xF6);
        var topic = BinaryPrimitives.ReadUInt16BigEndian(body);
        return (
            (first & 8) != 0,
            BinaryPrimitives.ReadUInt16BigEndian(body.AsSpan(2 + topic)),
            Encoding.UTF8.GetString(body.AsSpan(5 + topic))
        );
    }

    public Task SendPublishAsync(ushort id, string payload, bool duplicate = false) =>
        SendAsync(ServerPackets.Publish(id, payload, duplicate));

    public Task SendPubackAsync(ushort id) => SendAsync(ServerPackets.Acknowledgement(id));

    public Task SendHexAsync(string hex) => SendAsync(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));

    public Task SendAsync(byte[] bytes) => SendAsync(bytes.AsMemory());

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[await socket.SendAsync(bytes, stop)..];
    }

    public async Task SendSlowlyAsync(byte[] bytes)
    {
        socket.NoDelay = true;
        foreach (var one in bytes)
        {
            await SendAsync(new[] { one });
            await Task.Yield();
        }
    }

    /// <summary>Reads and forgets until the client closes.</summary>
    public async Task DrainAsync()
    {
        var buffer = new byte[65_536];
        while (await socket.ReceiveAsync(buffer, stop) > 0) { }
    }

    public Task UntilStoppedAsync() => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);

    public void Dispose() => socket.Dispose();

    async Task<byte[]> ReadExactlyAsync(int count)
    {
        var bytes = new byte[count];
        await ReadIntoAsync(bytes);
        return bytes;
    }

    /// <summary>Fills the array, whatever comes.</summary>
    public async Task ReadIntoAsync(byte[] bytes)
    {
        for (var got = 0; got < bytes.Length; )
        {
            var read = await socket.ReceiveAsync(bytes.AsMemory(got), stop);
            if (read == 0)
                throw new EndOfStreamException();
            got += read;
        }
    }
}
