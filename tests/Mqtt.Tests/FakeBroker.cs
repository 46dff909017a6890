using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>A broker that does exactly what a test's script says, in bytes written by hand and not by the codec under test.</summary>
sealed class FakeBroker : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stop = new();
    readonly Task accepting;

    /// <param name="script">Called for each connection, one after the other, with its number from 1. Its connection is closed when it
    /// returns.</param>
    public FakeBroker(Func<FakeConnection, int, Task> script)
    {
        // What the kernel holds here has left the client as far as that can tell. Accepted connections inherit it.
        listener.Server.ReceiveBufferSize = 64 * 1024;
        listener.Start();
        accepting = AcceptAsync(script);
    }

    public MqttOptions Options(params string[] filters) => new()
    {
        Host = "127.0.0.1",
        Port = ((IPEndPoint)listener.LocalEndpoint).Port,
        ClientId = "client",
        MaximumReconnectDelay = TimeSpan.FromMilliseconds(20),
        Subscriptions = [.. filters.Select(f => new MqttSubscription(f))],
    };

    /// <summary>Waits for the script's end of a connection that a test lets end, or for its failure.</summary>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await accepting.Within();
    }

    async Task AcceptAsync(Func<FakeConnection, int, Task> script)
    {
        for (var number = 1; !stop.IsCancellationRequested; number++)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptSocketAsync(stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            using var connection = new FakeConnection(socket, stop.Token);
            try
            {
                await script(connection, number);
            }
            catch (Exception e) when (e is EndOfStreamException or SocketException || (stop.IsCancellationRequested && e is OperationCanceledException))
            {
                // The client went away, or the test is over.
            }
        }
    }
}

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
            if (first != 0xC0 || !answerPings)
                return (first, body);
            await SendHexAsync("D0 00");
        }
    }

    /// <summary>The next packet, which must start with this byte unless the client takes its leave.</summary>
    public async Task<byte[]> ReadAsync(byte first)
    {
        var packet = await ReadAsync();
        if (packet.First == 0xE0 && first != 0xE0)
            throw new EndOfStreamException();
        Assert.Equal(first, packet.First);
        return packet.Body;
    }

    /// <summary>Takes CONNECT and accepts it.</summary>
    /// <param name="sessionPresent">What CONNACK says.</param>
    /// <param name="properties">Of CONNACK, in hex.</param>
    public async Task<byte[]> AcceptAsync(bool sessionPresent = false, string properties = "")
    {
        var connect = await ReadAsync(0x10);
        var bytes = Convert.FromHexString(properties.Replace(" ", "", StringComparison.Ordinal));
        await SendAsync([0x20, (byte)(3 + bytes.Length), sessionPresent ? (byte)1 : (byte)0, 0, (byte)bytes.Length, .. bytes]);
        return connect;
    }

    /// <summary>Takes SUBSCRIBE and grants it, for one filter.</summary>
    public async Task GrantAsync(byte reason = 1)
    {
        var body = await ReadAsync(0x82);
        await SendAsync([0x90, 4, body[0], body[1], 0, reason]);
    }

    /// <summary>Takes a PUBLISH of QoS 1 with a short topic and no properties.</summary>
    public async Task<(bool Duplicate, ushort Id, string Payload)> ReadPublishAsync()
    {
        var (first, body) = await ReadAsync();
        Assert.Equal(0x32, first & 0xF6);
        var topic = BinaryPrimitives.ReadUInt16BigEndian(body);
        return ((first & 8) != 0, BinaryPrimitives.ReadUInt16BigEndian(body.AsSpan(2 + topic)), Encoding.UTF8.GetString(body.AsSpan(5 + topic)));
    }

    public static byte[] Publish(ushort id, string payload, bool duplicate = false, string topic = "t")
    {
        var body = new List<byte> { 0, (byte)topic.Length };
        body.AddRange(Encoding.UTF8.GetBytes(topic));
        if (id > 0)
            body.AddRange([(byte)(id >> 8), (byte)id]);
        body.Add(0);
        body.AddRange(Encoding.UTF8.GetBytes(payload));
        Assert.True(body.Count < 128);
        return [(byte)(0x30 | (id > 0 ? 2 : 0) | (duplicate ? 8 : 0)), (byte)body.Count, .. body];
    }

    public Task SendPublishAsync(ushort id, string payload, bool duplicate = false) => SendAsync(Publish(id, payload, duplicate));

    public Task SendPubackAsync(ushort id) => SendAsync([0x40, 2, (byte)(id >> 8), (byte)id]);

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
        while (await socket.ReceiveAsync(buffer, stop) > 0)
        {
        }
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
        for (var got = 0; got < bytes.Length;)
        {
            var read = await socket.ReceiveAsync(bytes.AsMemory(got), stop);
            if (read == 0)
                throw new EndOfStreamException();
            got += read;
        }
    }
}
