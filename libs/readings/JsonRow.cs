using System.Buffers;

namespace ThermalStreaming.Readings;

/// <summary>
/// The row of a reading that came as JSON. Values are copied byte for byte, except times, texts that spell a number, and the identity.
/// </summary>
/// <param name="payload">The payload that the items point into.</param>
/// <param name="fields">Keys of the row.</param>
/// <param name="origin">Of the payload.</param>
readonly ref struct JsonRow(ReadOnlySpan<byte> payload, JsonFields fields, PayloadOrigin origin)
{
    /// <summary>The key under which a row keeps the sender's own values of keys whose values the row replaces.</summary>
    static readonly RowKey asSent = new("as_sent");

    readonly ReadOnlySpan<byte> payload = payload;

    /// <param name="item">The reading.</param>
    /// <param name="identity">Its own, or the one that it was given.</param>
    /// <param name="observedAtUs">When it was taken, in microseconds since 1970.</param>
    /// <param name="target">Where to.</param>
    /// <param name="stamp">Of the batch; for thermal rows.</param>
    /// <param name="streamOffset">Place in the forwarder's journal; for thermal rows.</param>
    public void Write(
        JsonItem item,
        in ReadingIdentity identity,
        long observedAtUs,
        IBufferWriter<byte> target,
        RowStamp stamp,
        long streamOffset
    )
    {
        var whole = item.Whole.Length;
        var row = new RowText(
            target,
            whole
                + fields.KeyBytes
                + fields.Count * RowText.ValueBytes
                + origin.QuotedDeviceId.Length
                + 6 * identity.BootId.Length
                + ExtraBytes(item)
                + (item.Replaced == 0 ? 0 : whole + fields.KeyBytes)
                + stamp.Bytes.Length
                + 2 * RowText.ValueBytes
        );
        Span<byte> iso = stackalloc byte[Instants.IsoLength];
        Instants.FormatIso(Instants.FromMicroseconds(observedAtUs), iso);
        for (var i = 0; i < fields.Count; i++)
        {
            var raw = Raw(item, i);
            var role = fields[i].Role;
            if (role == JsonRole.OwnKey && raw.IsEmpty)
                continue;
            if (i > 0)
                row.Add(fields[i].Key);
            else
                row.Begin(fields[i].Key);
            switch (role)
            {
                case JsonRole.DeviceId:
                    row.Add(origin.QuotedDeviceId);
                    break;
                case JsonRole.BootId or JsonRole.Sequence:
                    AddIdentity(ref row, role, identity, raw);
                    break;
                case JsonRole.Instant:
                    row.AddQuoted(iso);
                    break;
                case JsonRole.Second:
                    row.Add(Instants.Seconds(observedAtUs));
                    break;
                case JsonRole.SystemTime when raw.IsEmpty:
                    AddAmerican(ref row, iso);
                    break;
                default:
                    i = AddValues(ref row, item, i);
                    break;
            }
        }
        AddExtra(ref row, item);
        if (origin.Kind == ReadingKind.Thermal)
        {
            row.Add(stamp.Bytes);
            row.Add(streamOffset);
        }
        row.Add("}"u8);
        row.End();
    }

    static void AddIdentity(ref RowText row, JsonRole role, in ReadingIdentity identity, ReadOnlySpan<byte> raw)
    {
        if (!identity.IsComplete)
            AddValue(ref row, raw, role == JsonRole.Sequence ? JsonType.Number : JsonType.Text);
        else if (role == JsonRole.Sequence)
            row.Add(identity.Sequence);
        else if (!raw.IsEmpty && JsonText.Is(raw, identity.BootId))
            row.Add(raw);
        else
            row.Add(RowText.Quoted(identity.BootId));
    }

    static void AddValue(ref RowText row, ReadOnlySpan<byte> raw, JsonType type)
    {
        if (raw.IsEmpty)
            row.AddNull();
        else if (type == JsonType.Number && raw[0] == '"' && DecimalNumber.TryParse(raw[1..^1].Trim(NumberText.Space), out _))
            row.AddNumber(raw);
        else
            row.Add(raw);
    }

    /// <summary>Adds the value of a field, and with it those that follow it in the payload just as they do in the row.</summary>
    /// <returns>The last field that was added.</returns>
    int AddValues(ref RowText row, JsonItem item, int first)
    {
        var (start, length) = item.Value(first);
        if (length == 0 || IsQuotedNumber(item, first))
        {
            AddValue(ref row, Raw(item, first), fields[first].Type);
            return first;
        }
        var (last, end) = (first, start + length);
        for (var next = first + 1; next < fields.Count && fields[next].Role is JsonRole.Value or JsonRole.SystemTime; next++)
        {
            var value = item.Value(next);
            // Behind the last value there is room for a comma, this one's key and a colon, and for nothing else.
            if (value.Length == 0 || value.Start != end + fields[next].Key.Bytes.Length || IsQuotedNumber(item, next))
                break;
            (last, end) = (next, value.Start + value.Length);
        }
        row.Add(payload[start..end]);
        return last;
    }

    bool IsQuotedNumber(JsonItem item, int field) => fields[field].Type == JsonType.Number && payload[item.Value(field).Start] == '"';

    void AddExtra(ref RowText row, JsonItem item)
    {
        foreach (var (key, value) in item.Extra ?? [])
        {
            row.Add(","u8);
            row.Add(RowText.Quoted(key));
            row.Add(":"u8);
            row.AddOnOneLine(value.Span);
        }
        if (item.Replaced == 0 || item.Extra?.ContainsKey(asSent.Name) == true)
            return;
        row.Add(asSent);
        var isFirst = true;
        for (var i = 0; i < fields.Count; i++)
        {
            if ((item.Replaced >> i & 1) == 0)
                continue;
            row.Add(isFirst ? "{"u8 : ","u8);
            row.Add(fields[i].Key.Bytes.AsSpan(1));
            row.AddOnOneLine(Raw(item, i));
            isFirst = false;
        }
        row.Add("}"u8);
    }

    /// <summary>
    /// The most bytes that they take: an escape is six bytes, and a comma, quotation marks and a colon surround a key. A value may lie
    /// outside the payload.
    /// </summary>
    static int ExtraBytes(JsonItem item) => item.Extra?.Sum(extra => 6 * extra.Key.Length + 4 + extra.Value.Length) ?? 0;

    static void AddAmerican(ref RowText row, scoped ReadOnlySpan<byte> iso)
    {
        Span<byte> american = stackalloc byte[Instants.AmericanLength];
        Instants.FormatAmerican(iso, american);
        row.AddQuoted(american);
    }

    ReadOnlySpan<byte> Raw(JsonItem item, int field) => JsonPayload.Raw(payload, item, field);
}
