using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>A broker that refuses the subscriptions a test names (SUBACK 0x87), as one whose rules are older than the mappings does.</summary>
sealed class RefusingBroker : ByteBroker
{
    readonly Func<string, bool> refuses;

    public RefusingBroker(Func<string, bool> refuses)
    {
        this.refuses = refuses;
        Start();
    }

    /// <summary>Filters that were refused.</summary>
    public ConcurrentQueue<string> Refused { get; } = [];

    /// <summary>Topics of what was published.</summary>
    public ConcurrentQueue<string> Published { get; } = [];

    protected override async Task ServeAsync(NetworkStream stream)
    {
        while (true)
        {
            var (type, body) = await ReadAsync(stream);
            byte[]? answer = type switch
            {
                1 => [0x20, 3, 0, 0, 0],
                8 => Suback(body),
                10 => [0xB0, 4, body[0], body[1], 0, 0],
                12 => [0xD0, 0],
                _ => null,
            };
            if (type == 3)
                Published.Enqueue(Encoding.UTF8.GetString(body, 2, body[1]));
            if (answer is not null)
                await stream.WriteAsync(answer, Stop);
        }
    }

    byte[] Suback(byte[] body)
    {
        var codes = new List<byte>();
        // Packet id, no properties; then length, filter and options of each.
        for (var at = 3; at < body.Length; )
        {
            var filter = Encoding.UTF8.GetString(body, at + 2, body[at + 1]);
            at += 3 + body[at + 1];
            codes.Add((byte)(refuses(filter) ? 0x87 : 1));
            if (codes[^1] == 0x87)
                Refused.Enqueue(filter);
        }
        return [0x90, (byte)(3 + codes.Count), body[0], body[1], 0, .. codes];
    }
}
