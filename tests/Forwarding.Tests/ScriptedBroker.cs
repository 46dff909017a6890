using System.Net.Sockets;
using System.Text;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>
/// A broker that crashes right after it has answered the first UNSUBSCRIBE of a slot, is away for a while, and then still has a message in
/// that slot's session.
/// </summary>
sealed class ScriptedBroker : ByteBroker
{
    readonly string slot;
    readonly TimeSpan away;
    long crashedAt;

    public ScriptedBroker(string slot, TimeSpan away)
    {
        this.slot = slot;
        this.away = away;
        Start();
    }

    public bool HasCrashed => Volatile.Read(ref crashedAt) != 0;

    /// <summary>The message was acknowledged.</summary>
    public bool IsEmpty { get; private set; }

    protected override async Task ServeAsync(NetworkStream stream)
    {
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
                    await stream.WriteAsync((byte[])[0x20, 3, (byte)(isSlot ? 1 : 0), 0, 0], Stop);
                    if (isSlot && HasCrashed && !IsEmpty)
                    {
                        byte[] publish = [.. Text("telemetry/v1/pi-1/thermal"), 0, 1, 0, .. "{\"temperature\":21}"u8];
                        await stream.WriteAsync((byte[])[0x32, (byte)publish.Length, .. publish], Stop);
                    }
                    break;
                case 4:
                    IsEmpty |= isSlot;
                    break;
                case 8:
                    await stream.WriteAsync((byte[])[0x90, 4, body[0], body[1], 0, 1], Stop);
                    break;
                case 10:
                    await stream.WriteAsync((byte[])[0xB0, 4, body[0], body[1], 0, 0], Stop);
                    if (HasCrashed)
                        break;
                    Volatile.Write(ref crashedAt, TimeProvider.System.GetTimestamp());
                    return;
                case 12:
                    await stream.WriteAsync((byte[])[0xD0, 0], Stop);
                    break;
            }
        }
    }

    static byte[] Text(string text) => [0, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}
