using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ThermalStreaming.Readings;

/// <summary>
/// Reads JSON as nearly every sender writes it: objects with the keys of the rows, texts without escapes, numbers, null. A general reader
/// takes several times as long, and twice for every reading: when it comes and when it goes. This reader gives up at the first byte that is
/// anything else, so it accepts nothing that <see cref="GeneralJson"/> refuses or understands in another way.
/// </summary>
static class PlainJson
{
    const int None = -1;

    /// <param name="text">Valid UTF-8.</param>
    /// <param name="fields">The keys.</param>
    /// <returns>The objects; null for JSON that is not plain, or no JSON.</returns>
    /// <exception cref="PayloadException">There are too many.</exception>
    public static List<JsonItem>? TryRead(ReadOnlySpan<byte> text, JsonFields fields)
    {
        var items = new List<JsonItem>(1);
        Span<Place> values = stackalloc Place[fields.Count];
        var at = AfterSpace(text, 0);
        var isArray = IsAt(text, at, (byte)'[');
        if (isArray)
            at++;
        while (items.Count < Payload.MaxReadings)
        {
            var start = AfterSpace(text, at);
            at = AfterObject(text, start, fields, values, out var present);
            if (at < 0)
                return null;
            items.Add(new JsonItem(Place.Between(start, at), values[..present].ToArray(), null));
            at = AfterSpace(text, at);
            if (isArray && IsAt(text, at, (byte)','))
            {
                at++;
                continue;
            }
            if (isArray)
                return IsAt(text, at, (byte)']') && AfterSpace(text, at + 1) == text.Length ? items : null;
            if (at == text.Length)
                return items;
        }
        at = AfterSpace(text, at);
        // The general reader would only find the same, and take the memory a second time.
        return IsAt(text, at, (byte)'{') ? throw Payload.TooMany() : null;
    }

    // Each of the following returns where what it reads ends, or None. They take and return the position by value, so that it stays in a
    // register.

    static int AfterObject(ReadOnlySpan<byte> text, int at, JsonFields fields, Span<Place> values, out int present)
    {
        present = 0;
        values.Clear();
        if (!IsAt(text, at, (byte)'{'))
            return None;
        var next = 0;
        do
        {
            at = AfterKey(text, at, fields, next, out var field);
            if (at < 0)
                return None;
            var start = at;
            at = AfterValue(text, start, fields[field].Type);
            if (at < 0)
                return None;
            // If a key comes twice, the last one counts, as with every JSON reader.
            values[field] = text[start] == 'n' ? default : Place.Between(start, at);
            next = field + 1;
            present = Math.Max(present, next);
            at = AfterSpace(text, at);
        } while (IsAt(text, at, (byte)','));
        return IsAt(text, at, (byte)'}') ? at + 1 : None;
    }

    /// <summary>Reads everything from a brace or comma to the next value.</summary>
    static int AfterKey(ReadOnlySpan<byte> text, int at, JsonFields fields, int expected, out int field)
    {
        // A sender writes its keys in the same order every time, so the next key is nearly always one of those after the last.
        var patterns = fields.Patterns;
        var rest = text[at..];
        for (var candidate = expected; candidate < patterns.Length; candidate++)
        {
            if (!patterns[candidate].IsAt(rest))
                continue;
            field = candidate;
            return AfterSpace(text, at + patterns[candidate].Length);
        }
        at = AfterSpace(text, at + 1);
        rest = text[at..];
        field = expected;
        for (var tried = 0; tried < fields.Count; tried++, field++)
        {
            if (field >= fields.Count)
                field = 0;
            var key = fields[field].Key.Quoted;
            if (!rest.StartsWith(key))
                continue;
            at = AfterSpace(text, at + key.Length);
            return IsAt(text, at, (byte)':') ? AfterSpace(text, at + 1) : None;
        }
        return None;
    }

    static int AfterValue(ReadOnlySpan<byte> text, int at, JsonType type)
    {
        if (at == text.Length)
            return None;
        return text[at] switch
        {
            // A text that spells a number needs a closer look.
            (byte)'"' => type == JsonType.Number ? None : AfterText(text, at + 1),
            (byte)'n' => text[at..].StartsWith("null"u8) ? at + 4 : None,
            _ => AfterNumber(text, at),
        };
    }

    /// <summary>Reads to the first byte that ends a text, or needs the general reader: RFC 8259 §7.</summary>
    static int AfterText(ReadOnlySpan<byte> text, int at)
    {
        for (; at + Vector128<byte>.Count <= text.Length; at += Vector128<byte>.Count)
        {
            var bytes = Vector128.Create(text.Slice(at, Vector128<byte>.Count));
            var ends =
                Vector128.Equals(bytes, Vector128.Create((byte)'"'))
                | Vector128.Equals(bytes, Vector128.Create((byte)'\\'))
                | Vector128.LessThan(bytes, Vector128.Create((byte)' '));
            if (ends == Vector128<byte>.Zero)
                continue;
            at += BitOperations.TrailingZeroCount(ends.ExtractMostSignificantBits());
            return text[at] == '"' ? at + 1 : None;
        }
        for (; at < text.Length && text[at] is not ((byte)'\\' or < (byte)' '); at++)
        {
            if (text[at] == '"')
                return at + 1;
        }
        return None;
    }

    /// <summary>RFC 8259 §6.</summary>
    static int AfterNumber(ReadOnlySpan<byte> text, int at)
    {
        if (AfterShortNumber(text, at) is > 0 and var end)
            return end;
        if (IsAt(text, at, (byte)'-'))
            at++;
        at = IsAt(text, at, (byte)'0') ? at + 1 : AfterDigits(text, at);
        if (at >= 0 && IsAt(text, at, (byte)'.'))
            at = AfterDigits(text, at + 1);
        if (at < 0 || !(IsAt(text, at, (byte)'e') || IsAt(text, at, (byte)'E')))
            return at;
        at++;
        return AfterDigits(text, IsAt(text, at, (byte)'+') || IsAt(text, at, (byte)'-') ? at + 1 : at);
    }

    /// <summary>Digits, with or without a point, without a loop; None also if the number takes a closer look.</summary>
    static int AfterShortNumber(ReadOnlySpan<byte> text, int at)
    {
        if (text.Length - at < Vector128<byte>.Count)
            return None;
        var bytes = Vector128.Create(text.Slice(at, Vector128<byte>.Count));
        var digits = Vector128.LessThan(bytes - Vector128.Create((byte)'0'), Vector128.Create((byte)10)).ExtractMostSignificantBits();
        var points = Vector128.Equals(bytes, Vector128.Create((byte)'.')).ExtractMostSignificantBits();
        var length = BitOperations.TrailingZeroCount(~(digits | points));
        if (length is 0 or 16 || (text[at + length] | 0x20) == 'e')
            return None;
        points &= (1u << length) - 1;
        var isDigitAtBothEnds = (digits & digits >> (length - 1) & 1) != 0;
        // 0 and 0.5, but not 05.
        var hasLeadingZero = text[at] == '0' && length > 1 && (points & 2) == 0;
        return isDigitAtBothEnds && !hasLeadingZero && (points & (points - 1)) == 0 ? at + length : None;
    }

    static int AfterDigits(ReadOnlySpan<byte> text, int at)
    {
        var start = at;
        while ((uint)at < (uint)text.Length && char.IsAsciiDigit((char)text[at]))
            at++;
        return at > start ? at : None;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int AfterSpace(ReadOnlySpan<byte> text, int at)
    {
        while ((uint)at < (uint)text.Length && text[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            at++;
        return at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static bool IsAt(ReadOnlySpan<byte> text, int at, byte wanted) => (uint)at < (uint)text.Length && text[at] == wanted;
}
