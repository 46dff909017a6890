using System.Threading.Channels;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// Messages received and not yet taken by the consumer. A message of QoS 1 always gets in, because Receive Maximum already bounds them. Of
/// QoS 0, which has no guarantee, at most as many again wait; the rest are dropped and counted, so that the reader of the socket never
/// waits for the consumer.
/// </summary>
sealed class Inbox(int receiveMaximum)
{
    readonly Channel<MqttMessage> channel = Channel.CreateUnbounded<MqttMessage>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true }
    );
    int waiting;
    int waitingQos0;
    long waitingBytes;
    long dropped;

    public int Waiting => Volatile.Read(ref waiting);

    /// <summary>Payload bytes of the waiting messages.</summary>
    public long WaitingBytes => Volatile.Read(ref waitingBytes);

    public long Dropped => Volatile.Read(ref dropped);

    /// <summary>For the reader of the current connection.</summary>
    public bool Post(in MqttMessage message)
    {
        if (message.Qos == MqttQos.AtMostOnce)
        {
            if (Volatile.Read(ref waitingQos0) >= receiveMaximum)
            {
                dropped++;
                return false;
            }
            Interlocked.Increment(ref waitingQos0);
        }
        Interlocked.Increment(ref waiting);
        Interlocked.Add(ref waitingBytes, message.Payload.Length);
        return channel.Writer.TryWrite(message);
    }

    public bool TryReceive(out MqttMessage message)
    {
        if (!channel.Reader.TryRead(out message))
            return false;
        Interlocked.Decrement(ref waiting);
        Interlocked.Add(ref waitingBytes, -message.Payload.Length);
        if (message.Qos == MqttQos.AtMostOnce)
            Interlocked.Decrement(ref waitingQos0);
        return true;
    }

    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => channel.Reader.WaitToReadAsync(cancellationToken);

    public void Complete() => channel.Writer.TryComplete();
}
