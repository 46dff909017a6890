using System.Numerics;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// The messages of one connection that are not acknowledged yet, in order of arrival. Messages may be acknowledged in any order; the
/// packets come out in the order of arrival (§4.6), each when all before it are done. Not thread-safe.
/// </summary>
sealed class ReceiveWindow
{
    readonly Entry[] ring;
    readonly int capacity;
    long head;
    long tail;

    public ReceiveWindow(int capacity)
    {
        this.capacity = capacity;
        ring = new Entry[BitOperations.RoundUpToPowerOf2((uint)capacity)];
    }

    struct Entry
    {
        public ushort PacketId;
        public bool IsExactlyOnce;
        public bool IsDone;
        public int Bytes;
    }

    /// <summary>How many there are.</summary>
    public int Count => (int)(tail - head);

    /// <summary>Whether there are fewer than allowed.</summary>
    public bool HasRoom => Count < capacity;

    /// <summary>Payload of all of them.</summary>
    public long Bytes { get; private set; }

    /// <summary>The place of a message that arrived; there must be room.</summary>
    public long Add(ushort packetId, MqttQos qos, int bytes)
    {
        ring[tail & (ring.Length - 1)] = new Entry
        {
            PacketId = packetId,
            IsExactlyOnce = qos == MqttQos.ExactlyOnce,
            Bytes = bytes,
        };
        Bytes += bytes;
        return tail++;
    }

    /// <summary>Marks a message as done.</summary>
    /// <returns>False if it was before.</returns>
    public bool Done(long place)
    {
        if (place < head || place >= tail)
            return false;
        ref var entry = ref ring[place & (ring.Length - 1)];
        if (entry.IsDone)
            return false;
        return entry.IsDone = true;
    }

    /// <summary>Takes the first message if it is done.</summary>
    public bool TryTakeDone(out ushort packetId, out bool isExactlyOnce)
    {
        var entry = ring[head & (ring.Length - 1)];
        packetId = entry.PacketId;
        isExactlyOnce = entry.IsExactlyOnce;
        if (head == tail || !entry.IsDone)
            return false;
        head++;
        Bytes -= entry.Bytes;
        return true;
    }
}
