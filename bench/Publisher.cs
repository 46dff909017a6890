using System.Net;
using System.Net.Sockets;

namespace ThermalStreaming.Bench;

/// <summary>
/// Publishes with QoS 1 and a bounded window, and returns when the broker has acknowledged everything. One thread, one buffer: it must cost
/// the processors that it shares with what is measured as little as it can. MQTT 5.0.
/// </summary>
sealed class Publisher : IDisposable
{
    const int Window = 1000;

    /// <summary>As few system calls as the window allows.</summary>
    const int SendAtLeast = Window / 4;

    static readonly TimeProvider clock = TimeProvider.System;

    readonly Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    readonly byte[] output = new byte[256 * 1024];
    readonly byte[] input = new byte[16 * 1024];
    int inputUsed;
    ushort nextId = 1;

    public Publisher(int port)
    {
        socket.Connect(IPAddress.Loopback, port);
        // CONNECT: "MQTT", 5, clean start, no keep-alive, no properties, client id "bench".
        socket.Send([0x10, 18, 0, 4, .. "MQTT"u8, 5, 2, 0, 0, 0, 0, 5, .. "bench"u8]);
        while (ReadPacket() != 0x20) { }
    }

    /// <summary>Publishes so many messages, as fast as the broker takes them or at an even rate.</summary>
    public void Publish(MessagePool pool, int count, double perSecond = double.PositiveInfinity)
    {
        int sent = 0,
            acknowledged = 0;
        var started = clock.GetTimestamp();
        while (acknowledged < count)
        {
            var due = (int)Math.Min(count, clock.GetElapsedTime(started).TotalSeconds * perSecond);
            var room = Math.Min(Window - (sent - acknowledged), due - sent);
            if (due < count && sent == acknowledged && room < Math.Min(SendAtLeast, perSecond / 50))
            {
                socket.Poll(TimeSpan.FromMilliseconds(5), SelectMode.SelectRead);
                continue;
            }
            if (room > 0 && (room >= Math.Min(SendAtLeast, perSecond / 50) || sent + room == count))
            {
                sent += Send(pool, sent, room);
                continue;
            }
            if (ReadPacket() == 0x40)
                acknowledged++;
        }
    }

    int Send(MessagePool pool, long first, int room)
    {
        int length = 0,
            messages = 0;
        for (; messages < room && length + pool.LargestPacket <= output.Length; messages++)
        {
            length += pool.Write(first + messages, nextId, output.AsSpan(length));
            nextId = nextId == ushort.MaxValue ? (ushort)1 : (ushort)(nextId + 1);
        }
        for (var done = 0; done < length; )
            done += socket.Send(output, done, length - done, SocketFlags.None);
        return messages;
    }

    int inputAt;

    /// <summary>First byte of the next packet; what a broker sends to a publisher is short.</summary>
    byte ReadPacket()
    {
        while (inputUsed - inputAt < 2 || inputUsed - inputAt < 2 + input[inputAt + 1])
        {
            input.AsSpan(inputAt, inputUsed - inputAt).CopyTo(input);
            (inputAt, inputUsed) = (0, inputUsed - inputAt);
            var read = socket.Receive(input, inputUsed, input.Length - inputUsed, SocketFlags.None);
            if (read == 0)
                throw new IOException("The broker closed the publisher's connection.");
            inputUsed += read;
        }
        var first = input[inputAt];
        inputAt += 2 + input[inputAt + 1];
        return first;
    }

    public void Dispose() => socket.Dispose();
}
