using System.Net;
using System.Net.Sockets;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>How many connections the shipped broker takes.</summary>
public sealed class ShippedBrokerConnectionsTests
{
    static readonly TimeSpan patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("3", 3)]
    [InlineData("500", 450)]
    public async Task It_takes_as_many_as_the_setting_says(string setting, int connections)
    {
        await using var broker = await ShippedBroker.StartAsync(("MQTT_MAX_CONNECTIONS", setting));
        var open = new List<Socket>();
        try
        {
            for (var i = 0; i < connections; i++)
                open.Add(await ConnectAsync(broker.Port));
            using var next = await ConnectAsync(broker.Port);

            var isClosed = await IsClosedAsync(next, setting == "3" ? patience : TimeSpan.FromMilliseconds(500));

            Assert.Equal(setting == "3", isClosed);
            Assert.All(open, socket => Assert.False(socket.Poll(0, SelectMode.SelectRead), "an earlier connection was closed"));
            // The health check has a listener of its own.
            Assert.Equal(0, (await broker.BrokerAsync("", "healthy")).ExitCode);
        }
        finally
        {
            open.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task A_number_that_is_none_stops_it_with_the_cure()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => ShippedBroker.StartAsync(("MQTT_MAX_CONNECTIONS", "many")));

        Assert.Contains("MQTT_MAX_CONNECTIONS is 'many'; it must be a number of devices", refused.Message, StringComparison.Ordinal);
    }

    static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return socket;
    }

    static async Task<bool> IsClosedAsync(Socket socket, TimeSpan within)
    {
        using var end = new CancellationTokenSource(within);
        try
        {
            return await socket.ReceiveAsync(new byte[1], end.Token) == 0;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
