using System.Net;
using System.Net.Sockets;

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

    public MqttOptions Options(params string[] filters) =>
        new()
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
            catch (Exception e)
                when (e is EndOfStreamException or SocketException || (stop.IsCancellationRequested && e is OperationCanceledException))
            {
                // The client went away, or the test is over.
            }
        }
    }
}
