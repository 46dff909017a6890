using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>
/// A broker that crashes right after it has answered the first UNSUBSCRIBE of a slot, is away for a while, and then still has a message in
/// that slot's session.
/// </summary>
sealed class ScriptedBroker : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stop = new();
    readonly ConcurrentBag<Task> serving = [];
    readonly string slot;
    readonly TimeSpan away;
    readonly Task accepting;
    long crashedAt;

    public ScriptedBroker(string slot, TimeSpan away)
    {
        this.slot = slot;
        this.away = away;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public bool HasCrashed => Volatile.Read(ref crashedAt) != 0;

    /// <summary>The message was acknowledged.</summary>
    public bool IsEmpty { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(serving);
        stop.Dispose();
    }

    async Task AcceptAsync()
    {
        while (true)
            serving.Add(ServeAsync(await listener.AcceptSocketAsync(stop.Token)));
    }

    async Task ServeAsync(Socket socket)
    {
        try
        {
            using var stream = new NetworkStream(socket, ownsSocket: true);
            var isSlot = false;
            while (true)
            {
                var (type, body) = await ReadAsync(stream);
                switch (type)
                {
                    case 1:
                        isSlot = Encoding.UTF8.GetString(body).Contains(slot, StringComparison.Ordinal);
                        if (isSlot && HasCrashed && TimeProvider.System.GetElapsedTime(crashedAt) < away)
                            return;
                        await stream.WriteAsync((byte[])[0x20, 3, (byte)(isSlot ? 1 : 0), 0, 0], stop.Token);
                        if (isSlot && HasCrashed && !IsEmpty)
                        {
                            byte[] publish = [.. Text("telemetry/v1/pi-1/thermal"), 0, 1, 0, .. "{\"temperature\":21}"u8];
                            await stream.WriteAsync((byte[])[0x32, (byte)publish.Length, .. publish], stop.Token);
                        }
                        break;
                    case 4:
                        IsEmpty |= isSlot;
                        break;
                    case 8:
                        await stream.WriteAsync((byte[])[0x90, 4, body[0], body[1], 0, 1], stop.Token);
                        break;
                    case 10:
                        await stream.WriteAsync((byte[])[0xB0, 4, body[0], body[1], 0, 0], stop.Token);
                        if (HasCrashed)
                            break;
                        Volatile.Write(ref crashedAt, TimeProvider.System.GetTimestamp());
                        return;
                    case 12:
                        await stream.WriteAsync((byte[])[0xD0, 0], stop.Token);
                        break;
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client has gone, or the test is over.
        }
    }

    async Task<(int Type, byte[] Body)> ReadAsync(NetworkStream stream)
    {
        var one = new byte[1];
        await stream.ReadExactlyAsync(one, stop.Token);
        var type = one[0] >> 4;
        var length = 0;
        for (var shift = 0; ; shift += 7)
        {
            await stream.ReadExactlyAsync(one, stop.Token);
            length |= (one[0] & 0x7F) << shift;
            if (one[0] < 0x80)
                break;
        }
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, stop.Token);
        return (type, body);
    }

    static byte[] Text(string text) => [0, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}
