using System.Buffers;
using System.Runtime.CompilerServices;

namespace ThermalStreaming.Readings;

/// <summary>
/// Reads JSON as nearly every sender writes it: objects with the keys of the rows, texts without escapes, numbers, null. A general reader
/// takes several times as long, and twice for every reading: when it comes and when it goes. This reader gives up at the first byte that is
/// anything else, so it accepts nothing that <see cref="GeneralJson"/> refuses or understands in another way.
/// </summary>
static class PlainJson
{
    /// <summary>Bytes that end a text, or need the general reader: RFC 8259 §7.</summary>
    static readonly SearchValues<byte> endOfText = SearchValues.Create([
        (byte)'"',
        (byte)'\\',
        .. Enumerable.Range(0, 0x20).Select(control => (byte)control),
    ]);

    /// <param name="text">Valid UTF-8.</param>
    /// <param name="fields">The keys.</param>
    /// <returns>The objects; null for JSON that is not plain, or no JSON.</returns>
    /// <exception cref="PayloadException">There are too many.</exception>
    public static List<JsonItem>? TryRead(ReadOnlySpan<byte> text, JsonFields fields)
    {
        var items = new List<JsonItem>(1);
        Span<Place> values = stackalloc Place[fields.Count];
        var at = 0;
        SkipSpace(text, ref at);
        var isArray = TrySkip(text, ref at, (byte)'[');
        while (items.Count < Payload.MaxReadings)
        {
            SkipSpace(text, ref at);
            var start = at;
            if (!TryReadObject(text, ref at, fields, values, out var present))
                return null;
            items.Add(new JsonItem(Place.Between(start, at), values[..present].ToArray(), null));
            SkipSpace(text, ref at);
            if (isArray && TrySkip(text, ref at, (byte)','))
                continue;
            if (isArray)
            {
                if (!TrySkip(text, ref at, (byte)']'))
                    return null;
                SkipSpace(text, ref at);
                return at == text.Length ? items : null;
            }
            if (at == text.Length)
                return items;
        }
        SkipSpace(text, ref at);
        // The general reader would only find the same, and take the memory a second time.
        return at < text.Length && text[at] == '{' ? throw Payload.TooMany() : null;
    }

    static bool TryReadObject(ReadOnlySpan<byte> text, ref int at, JsonFields fields, Span<Place> values, out int present)
    {
        present = 0;
        values.Clear();
        if (!TrySkip(text, ref at, (byte)'{'))
            return false;
        var next = 0;
        for (var isFirst = true; isFirst || !TrySkip(text, ref at, (byte)'}'); isFirst = false)
        {
            if (
                !TryReadKey(text, ref at, isFirst, fields, ref next, out var field)
                // If a key comes twice, the last one counts, as with every JSON reader.
                || !TryReadValue(text, ref at, fields[field].Type, out values[field])
            )
                return false;
            present = Math.Max(present, field + 1);
            SkipSpace(text, ref at);
        }
        return true;
    }

    /// <summary>Reads everything from the end of a value to the beginning of the next one. The first key follows the brace.</summary>
    static bool TryReadKey(ReadOnlySpan<byte> text, ref int at, bool isFirst, JsonFields fields, ref int next, out int field)
    {
        // A sender writes its keys in the same order every time, so the next key is nearly always the one after the last, often with
        // nothing between them.
        if (!isFirst && next < fields.Count && fields[next].Key.Bytes is var whole && text[at..].StartsWith(whole))
        {
            field = next++;
            at += whole.Length;
            SkipSpace(text, ref at);
            return true;
        }
        field = next;
        if (!isFirst && !TrySkip(text, ref at, (byte)','))
            return false;
        SkipSpace(text, ref at);
        for (var tried = 0; tried < fields.Count; tried++, field++)
        {
            if (field == fields.Count)
                field = 0;
            var key = fields[field].Key.Quoted;
            if (!text[at..].StartsWith(key))
                continue;
            at += key.Length;
            next = field + 1;
            SkipSpace(text, ref at);
            if (!TrySkip(text, ref at, (byte)':'))
                return false;
            SkipSpace(text, ref at);
            return true;
        }
        return false;
    }

    /// <param name="text">The payload.</param>
    /// <param name="at">Where the value begins; afterwards, where it ends.</param>
    /// <param name="type">The types that the value may have.</param>
    /// <param name="value">Empty for null.</param>
    static bool TryReadValue(ReadOnlySpan<byte> text, ref int at, JsonType type, out Place value)
    {
        value = default;
        var start = at;
        if (TrySkip(text, ref at, (byte)'"'))
        {
            var length = text[at..].IndexOfAny(endOfText);
            // A text that spells a number needs a closer look.
            if (type == JsonType.Number || length < 0 || text[at + length] != '"')
                return false;
            at += length + 1;
        }
        else if (text[at..].StartsWith("null"u8))
        {
            at += 4;
            return true;
        }
        else if (!TrySkipNumber(text, ref at))
        {
            return false;
        }
        value = Place.Between(start, at);
        return true;
    }

    /// <summary>RFC 8259 §6.</summary>
    static bool TrySkipNumber(ReadOnlySpan<byte> text, ref int at)
    {
        TrySkip(text, ref at, (byte)'-');
        if (!TrySkip(text, ref at, (byte)'0') && !TrySkipDigits(text, ref at))
            return false;
        if (TrySkip(text, ref at, (byte)'.') && !TrySkipDigits(text, ref at))
            return false;
        if (!TrySkip(text, ref at, (byte)'e') && !TrySkip(text, ref at, (byte)'E'))
            return true;
        if (!TrySkip(text, ref at, (byte)'+'))
            TrySkip(text, ref at, (byte)'-');
        return TrySkipDigits(text, ref at);
    }

    static bool TrySkipDigits(ReadOnlySpan<byte> text, ref int at)
    {
        var start = at;
        while (at < text.Length && char.IsAsciiDigit((char)text[at]))
            at++;
        return at > start;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void SkipSpace(ReadOnlySpan<byte> text, ref int at)
    {
        while (at < text.Length && text[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            at++;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static bool TrySkip(ReadOnlySpan<byte> text, ref int at, byte wanted)
    {
        if (at == text.Length || text[at] != wanted)
            return false;
        at++;
        return true;
    }
}
