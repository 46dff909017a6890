using System.Numerics;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// The messages of one connection that are not acknowledged yet, in order of arrival. Acknowledging may happen in any order; the packets
/// come out in the order of arrival (§4.6), each when all before it are done. Not thread-safe.
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
    }

    public int Count => (int)(tail - head);

    /// <summary>The place of a message that arrived, or -1 when there are already as many as allowed.</summary>
    public long Add(ushort packetId, MqttQos qos)
    {
        if (Count >= capacity)
            return -1;
        ring[tail & (ring.Length - 1)] = new Entry { PacketId = packetId, IsExactlyOnce = qos == MqttQos.ExactlyOnce };
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
        return true;
    }
}
