using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>A broker on a port of its own that answers packets of MQTT 5 byte by byte, as a test writes them.</summary>
abstract class ByteBroker : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stop = new();
    readonly ConcurrentBag<Task> serving = [];
    Task accepting = Task.CompletedTask;

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Cancelled when the test is over.</summary>
    protected CancellationToken Stop => stop.Token;

    /// <summary>Accepts connections from now on.</summary>
    protected void Start()
    {
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary>Answers one connection until it ends. An <see cref="IOException"/> and the stop end it too.</summary>
    protected abstract Task ServeAsync(NetworkStream stream);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(serving);
        stop.Dispose();
    }

    /// <summary>The next packet: its type, and what follows its length.</summary>
    protected async Task<(int Type, byte[] Body)> ReadAsync(NetworkStream stream)
    {
        var one = new byte[1];
        await stream.ReadExactlyAsync(one, Stop);
        var type = one[0] >> 4;
        var length = 0;
        for (var shift = 0; ; shift += 7)
        {
            await stream.ReadExactlyAsync(one, Stop);
            length |= (one[0] & 0x7F) << shift;
            if (one[0] < 0x80)
                break;
        }
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, Stop);
        return (type, body);
    }

    async Task AcceptAsync()
    {
        while (true)
            serving.Add(ServeAsync(await listener.AcceptSocketAsync(Stop)));
    }

    async Task ServeAsync(Socket socket)
    {
        try
        {
            using var stream = new NetworkStream(socket, ownsSocket: true);
            await ServeAsync(stream);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client has gone, or the test is over.
        }
    }
}
