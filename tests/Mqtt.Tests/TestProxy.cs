using System.Net;
using System.Net.Sockets;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>A TCP relay between client and broker that can be cut, or can go silent as a dead network does.</summary>
sealed class TestProxy : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stop = new();
    readonly List<Socket> sockets = [];
    readonly Task accepting;
    readonly int target;
    volatile bool isSilent;

    public TestProxy(int target)
    {
        this.target = target;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>While set, bytes of present connections vanish in both directions; new connections work.</summary>
    public void Silence() => isSilent = true;

    /// <summary>Closes all connections.</summary>
    public void Cut()
    {
        lock (sockets)
        {
            foreach (var socket in sockets)
                socket.Dispose();
            sockets.Clear();
        }
        isSilent = false;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        Cut();
        await accepting;
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync(stop.Token);
                var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
                lock (sockets)
                    sockets.AddRange([client, server]);
                try
                {
                    await server.ConnectAsync(IPAddress.Loopback, target, stop.Token);
                }
                catch (SocketException)
                {
                    client.Dispose();
                    continue;
                }
                var wasSilent = isSilent;
                _ = RelayAsync(client, server, wasSilent);
                _ = RelayAsync(server, client, wasSilent);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    async Task RelayAsync(Socket from, Socket to, bool ignoresSilence)
    {
        var buffer = new byte[65_536];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0)
            {
                if (!isSilent || ignoresSilence)
                    await to.SendAsync(buffer.AsMemory(0, read));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException) { }
        from.Dispose();
        to.Dispose();
    }
}
