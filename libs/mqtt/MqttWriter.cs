using System.Buffers.Binary;
using System.Text;

namespace ThermalStreaming.Mqtt;

/// <summary>A growing buffer with the data types of MQTT 5.0 §1.5. Not thread-safe.</summary>
sealed class MqttWriter
{
    const int UsualCapacity = 64 * 1024;
    const int KeptCapacity = 1024 * 1024;
    byte[] buffer = new byte[UsualCapacity];

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => buffer.AsMemory(0, Length);

    /// <summary>Empties it. What one very large message made it grow to is given back.</summary>
    public void Clear()
    {
        Length = 0;
        if (buffer.Length > KeptCapacity)
            buffer = new byte[UsualCapacity];
    }

    public void WriteByte(byte value)
    {
        Reserve(1);
        buffer[Length++] = value;
    }

    public void WriteUInt16(ushort value)
    {
        Reserve(2);
        BinaryPrimitives.WriteUInt16BigEndian(buffer.AsSpan(Length), value);
        Length += 2;
    }

    public void WriteUInt32(uint value)
    {
        Reserve(4);
        BinaryPrimitives.WriteUInt32BigEndian(buffer.AsSpan(Length), value);
        Length += 4;
    }

    public void WriteVariable(uint value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MqttCodec.LargestVariable);
        do
        {
            var next = (byte)(value & 0x7F);
            value >>= 7;
            WriteByte(value > 0 ? (byte)(next | 0x80) : next);
        } while (value > 0);
    }

    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        Reserve(value.Length);
        value.CopyTo(buffer.AsSpan(Length));
        Length += value.Length;
    }

    /// <exception cref="ArgumentException">Longer than 65,535 bytes.</exception>
    public void WriteBinary(ReadOnlySpan<byte> value)
    {
        if (value.Length > ushort.MaxValue)
            throw new ArgumentException("MQTT binary data is at most 65535 bytes long.", nameof(value));
        WriteUInt16((ushort)value.Length);
        WriteBytes(value);
    }

    /// <exception cref="ArgumentException">Longer than 65,535 bytes.</exception>
    public void WriteString(string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        if (count > ushort.MaxValue)
            throw new ArgumentException("An MQTT string is at most 65535 bytes long.", nameof(value));
        WriteUInt16((ushort)count);
        Reserve(count);
        Length += Encoding.UTF8.GetBytes(value, buffer.AsSpan(Length));
    }

    /// <summary>Begins something whose length goes before it as a variable byte integer. Pass the result to <see cref="EndBlock"/>.</summary>
    public int BeginBlock()
    {
        WriteByte(0);
        return Length;
    }

    public void EndBlock(int start)
    {
        var length = Length - start;
        var extra = MqttCodec.VariableLength((uint)length) - 1;
        if (extra > 0)
        {
            Reserve(extra);
            buffer.AsSpan(start, length).CopyTo(buffer.AsSpan(start + extra));
        }
        Length = start - 1;
        WriteVariable((uint)length);
        Length += length;
    }

    void Reserve(int more)
    {
        if (buffer.Length - Length < more)
            Array.Resize(ref buffer, (int)Math.Min(Array.MaxLength, Math.Max((long)Length + more, 2L * buffer.Length)));
    }
}
