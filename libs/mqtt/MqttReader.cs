using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;

namespace ThermalStreaming.Mqtt;

/// <summary>Reads the data types of MQTT 5.0 §1.5 from the rest of one packet. Running past its end is a malformed packet.</summary>
ref struct MqttReader(ReadOnlySpan<byte> data)
{
    ReadOnlySpan<byte> rest = data;

    public readonly bool AtEnd => rest.IsEmpty;

    public readonly ReadOnlySpan<byte> Rest => rest;

    public byte ReadByte()
    {
        if (rest.IsEmpty)
            Malformed("the packet ends too soon");
        var value = rest[0];
        rest = rest[1..];
        return value;
    }

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(ReadBytes(2));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(ReadBytes(4));

    /// <summary>A packet identifier, which is never 0 (§2.2.1).</summary>
    public ushort ReadPacketId()
    {
        var id = ReadUInt16();
        if (id == 0)
            Error("the packet identifier is 0");
        return id;
    }

    /// <summary>Variable byte integer (§1.5.5): at most four bytes, and as few as possible.</summary>
    public uint ReadVariable()
    {
        uint value = 0;
        for (var shift = 0; shift < 28; shift += 7)
        {
            var next = ReadByte();
            value |= (uint)(next & 0x7F) << shift;
            if ((next & 0x80) != 0)
                continue;
            if (next == 0 && shift > 0)
                Malformed("a variable byte integer is longer than needed");
            return value;
        }
        Malformed("a variable byte integer is longer than four bytes");
        return 0;
    }

    public ReadOnlySpan<byte> ReadBytes(int count)
    {
        if (rest.Length < count)
            Malformed("the packet ends too soon");
        var value = rest[..count];
        rest = rest[count..];
        return value;
    }

    /// <summary>Binary data, or the still unchecked bytes of a string: two bytes of length, then as many.</summary>
    public ReadOnlySpan<byte> ReadBinary() => ReadBytes(ReadUInt16());

    public string ReadString() => ToText(ReadBinary());

    /// <summary>Takes a property block (§2.2.2): its length, then its bytes.</summary>
    public ReadOnlySpan<byte> ReadPropertyBlock()
    {
        var length = ReadVariable();
        if (length > (uint)rest.Length)
            Malformed("the properties are longer than the packet");
        return ReadBytes((int)length);
    }

    /// <summary>A UTF-8 string (§1.5.4): well-formed, no surrogates, no U+0000.</summary>
    public static string ToText(ReadOnlySpan<byte> utf8)
    {
        CheckText(utf8);
        return Encoding.UTF8.GetString(utf8);
    }

    public static void CheckText(ReadOnlySpan<byte> utf8)
    {
        if (!Utf8.IsValid(utf8))
            Malformed("a string is not well-formed UTF-8");
        if (utf8.Contains((byte)0))
            Malformed("a string has a NUL character");
    }

    /// <summary>A topic name that a message was published to: a string without wildcards, not empty.</summary>
    public static string ToTopic(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty)
            Error("the topic is empty");
        if (utf8.IndexOfAny((byte)'+', (byte)'#') >= 0)
            Malformed("the topic of a message has a wildcard");
        return ToText(utf8);
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Malformed(string what) =>
        throw new MqttProtocolException(MqttReasonCode.MalformedPacket, $"Malformed MQTT packet: {what}.");

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Error(string what) =>
        throw new MqttProtocolException(MqttReasonCode.ProtocolError, $"MQTT protocol error: {what}.");
}

/// <summary>Walks a property block without allocating and checks it: known, allowed here, in range, once (§2.2.2.2).</summary>
ref struct MqttPropertyReader(ReadOnlySpan<byte> block, ulong allowed)
{
    MqttReader reader = new(block);
    ulong seen;

    public MqttPropertyId Id { get; private set; }

    public uint Number { get; private set; }

    /// <summary>A string (checked) or binary data.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The name of a user property (checked).</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    public readonly bool Has(MqttPropertyId id) => (seen & (1UL << (int)id)) != 0;

    public bool MoveNext()
    {
        if (reader.AtEnd)
            return false;
        // On the wire it is a variable byte integer, but every identifier there is fits one byte.
        var id = reader.ReadVariable();
        var type = id <= 42 ? MqttPropertyTypes.Of((MqttPropertyId)id) : MqttPropertyType.None;
        if (type == MqttPropertyType.None)
            MqttReader.Malformed($"property {id} does not exist");
        var bit = 1UL << (int)id;
        if ((allowed & bit) == 0)
            MqttReader.Error($"property {(MqttPropertyId)id} does not belong to this packet");
        if ((seen & bit) != 0 && (MqttPropertyTypes.Repeatable & bit) == 0)
            MqttReader.Error($"property {(MqttPropertyId)id} is there twice");
        seen |= bit;
        Id = (MqttPropertyId)id;
        switch (type)
        {
            case MqttPropertyType.Flag:
                Number = reader.ReadByte();
                if (Number > 1)
                    MqttReader.Error($"property {Id} is {Number}; it can be 0 or 1");
                break;
            case MqttPropertyType.UInt16:
                Number = reader.ReadUInt16();
                break;
            case MqttPropertyType.UInt32:
                Number = reader.ReadUInt32();
                break;
            case MqttPropertyType.Variable:
                Number = reader.ReadVariable();
                break;
            case MqttPropertyType.Text:
                Bytes = reader.ReadBinary();
                MqttReader.CheckText(Bytes);
                break;
            case MqttPropertyType.Binary:
                Bytes = reader.ReadBinary();
                break;
            default:
                Name = reader.ReadBinary();
                MqttReader.CheckText(Name);
                Bytes = reader.ReadBinary();
                MqttReader.CheckText(Bytes);
                break;
        }
        if (Number == 0 && (MqttPropertyTypes.NotZero & bit) != 0)
            MqttReader.Error($"property {Id} is 0");
        return true;
    }
}

enum MqttPropertyType : byte
{
    None,
    Flag,
    UInt16,
    UInt32,
    Variable,
    Text,
    Binary,
    Pair,
}

/// <summary>The table of MQTT 5.0 §2.2.2.2: type of each property and the packets it belongs to.</summary>
static class MqttPropertyTypes
{
    public static readonly ulong Repeatable = Set(MqttPropertyId.UserProperty, MqttPropertyId.SubscriptionIdentifier);

    public static readonly ulong NotZero = Set(MqttPropertyId.ReceiveMaximum, MqttPropertyId.MaximumPacketSize, MqttPropertyId.SubscriptionIdentifier);

    public static readonly ulong Connect = Set(MqttPropertyId.SessionExpiryInterval, MqttPropertyId.ReceiveMaximum,
        MqttPropertyId.MaximumPacketSize, MqttPropertyId.TopicAliasMaximum, MqttPropertyId.RequestResponseInformation,
        MqttPropertyId.RequestProblemInformation, MqttPropertyId.UserProperty, MqttPropertyId.AuthenticationMethod,
        MqttPropertyId.AuthenticationData);

    public static readonly ulong Will = Set(MqttPropertyId.WillDelayInterval, MqttPropertyId.PayloadFormatIndicator,
        MqttPropertyId.MessageExpiryInterval, MqttPropertyId.ContentType, MqttPropertyId.ResponseTopic, MqttPropertyId.CorrelationData,
        MqttPropertyId.UserProperty);

    public static readonly ulong Connack = Set(MqttPropertyId.SessionExpiryInterval, MqttPropertyId.ReceiveMaximum, MqttPropertyId.MaximumQos,
        MqttPropertyId.RetainAvailable, MqttPropertyId.MaximumPacketSize, MqttPropertyId.AssignedClientIdentifier,
        MqttPropertyId.TopicAliasMaximum, MqttPropertyId.ReasonString, MqttPropertyId.UserProperty,
        MqttPropertyId.WildcardSubscriptionAvailable, MqttPropertyId.SubscriptionIdentifierAvailable,
        MqttPropertyId.SharedSubscriptionAvailable, MqttPropertyId.ServerKeepAlive, MqttPropertyId.ResponseInformation,
        MqttPropertyId.ServerReference, MqttPropertyId.AuthenticationMethod, MqttPropertyId.AuthenticationData);

    public static readonly ulong Publish = Set(MqttPropertyId.PayloadFormatIndicator, MqttPropertyId.MessageExpiryInterval,
        MqttPropertyId.TopicAlias, MqttPropertyId.ResponseTopic, MqttPropertyId.CorrelationData, MqttPropertyId.UserProperty,
        MqttPropertyId.SubscriptionIdentifier, MqttPropertyId.ContentType);

    /// <summary>PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK.</summary>
    public static readonly ulong Ack = Set(MqttPropertyId.ReasonString, MqttPropertyId.UserProperty);

    public static readonly ulong Subscribe = Set(MqttPropertyId.SubscriptionIdentifier, MqttPropertyId.UserProperty);

    public static readonly ulong Unsubscribe = Set(MqttPropertyId.UserProperty);

    public static readonly ulong Disconnect = Set(MqttPropertyId.SessionExpiryInterval, MqttPropertyId.ReasonString,
        MqttPropertyId.UserProperty, MqttPropertyId.ServerReference);

    public static readonly ulong Auth = Set(MqttPropertyId.AuthenticationMethod, MqttPropertyId.AuthenticationData,
        MqttPropertyId.ReasonString, MqttPropertyId.UserProperty);

    public static MqttPropertyType Of(MqttPropertyId id) => id switch
    {
        MqttPropertyId.PayloadFormatIndicator or MqttPropertyId.RequestProblemInformation or MqttPropertyId.RequestResponseInformation
            or MqttPropertyId.MaximumQos or MqttPropertyId.RetainAvailable or MqttPropertyId.WildcardSubscriptionAvailable
            or MqttPropertyId.SubscriptionIdentifierAvailable or MqttPropertyId.SharedSubscriptionAvailable => MqttPropertyType.Flag,
        MqttPropertyId.ServerKeepAlive or MqttPropertyId.ReceiveMaximum or MqttPropertyId.TopicAliasMaximum
            or MqttPropertyId.TopicAlias => MqttPropertyType.UInt16,
        MqttPropertyId.MessageExpiryInterval or MqttPropertyId.SessionExpiryInterval or MqttPropertyId.WillDelayInterval
            or MqttPropertyId.MaximumPacketSize => MqttPropertyType.UInt32,
        MqttPropertyId.SubscriptionIdentifier => MqttPropertyType.Variable,
        MqttPropertyId.ContentType or MqttPropertyId.ResponseTopic or MqttPropertyId.AssignedClientIdentifier
            or MqttPropertyId.AuthenticationMethod or MqttPropertyId.ResponseInformation or MqttPropertyId.ServerReference
            or MqttPropertyId.ReasonString => MqttPropertyType.Text,
        MqttPropertyId.CorrelationData or MqttPropertyId.AuthenticationData => MqttPropertyType.Binary,
        MqttPropertyId.UserProperty => MqttPropertyType.Pair,
        _ => MqttPropertyType.None,
    };

    static ulong Set(params ReadOnlySpan<MqttPropertyId> ids)
    {
        ulong set = 0;
        foreach (var id in ids)
            set |= 1UL << (int)id;
        return set;
    }
}
