using System.Net.Sockets;
using System.Text;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>
/// A sender that speaks MQTT 3.1.1, by the bytes of its specification: QoS 1, one message at a time, which it repeats until it is
/// acknowledged. It reconnects without a pause, so that it is always there before anybody else, and believes each acknowledgement, because
/// 3.1.1 has no reason codes.
/// </summary>
sealed class OldSender(int port, string topic) : IDisposable
{
    TcpClient? connection;
    ushort packetId;

    /// <summary>Ends when the message is acknowledged.</summary>
    public async Task SendAsync(string payload, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                var stream = connection?.GetStream() ?? await ConnectAsync(stop);
                packetId = (ushort)(packetId % ushort.MaxValue + 1);
                byte[] body = [.. Text(topic), (byte)(packetId >> 8), (byte)packetId, .. Encoding.UTF8.GetBytes(payload)];
                await stream.WriteAsync((byte[])[0x32, (byte)(body.Length & 0x7F | 0x80), (byte)(body.Length >> 7), .. body], stop);
                var answer = new byte[4];
                await stream.ReadExactlyAsync(answer, stop);
                Assert.Equal([0x40, 2, (byte)(packetId >> 8), (byte)packetId], answer);
                return;
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                Dispose();
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, stop);
            }
        }
    }

    public void Dispose()
    {
        connection?.Dispose();
        connection = null;
    }

    async Task<NetworkStream> ConnectAsync(CancellationToken stop)
    {
        connection = new TcpClient { NoDelay = true };
        await connection.ConnectAsync("127.0.0.1", port, stop);
        var stream = connection.GetStream();
        byte[] body = [.. Text("MQTT"), 4, 2, 0, 60, .. Text("old-sender")];
        await stream.WriteAsync((byte[])[0x10, (byte)body.Length, .. body], stop);
        var answer = new byte[4];
        await stream.ReadExactlyAsync(answer, stop);
        Assert.Equal([0x20, 2, 0, 0], answer);
        return stream;
    }

    static byte[] Text(string text) => [(byte)(text.Length >> 8), (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}
