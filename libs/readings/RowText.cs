using System.Buffers;
using System.Buffers.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ThermalStreaming.Readings;

/// <summary>
/// The text of one row, assembled from pieces that are already JSON: a <see cref="Utf8JsonWriter"/> call for each piece took as long as all
/// other work on a row. A piece that does not fit into the requested room throws, and then nothing is written.
/// </summary>
/// <param name="target">Where to.</param>
/// <param name="bytes">The most that the row can take.</param>
ref struct RowText(IBufferWriter<byte> target, int bytes)
{
    /// <summary>Most bytes that a number or a point in time takes, with its quotation marks.</summary>
    public const int ValueBytes = Instants.IsoLength + 2;

    static readonly double[] powers = [1, 10, 100, 1_000, 10_000];

    readonly IBufferWriter<byte> target = target;
    readonly Span<byte> room = target.GetSpan(bytes);
    int length;

    /// <summary>A text as JSON; null when it is empty.</summary>
    public static byte[] QuotedOrNull(string text) => text.Length == 0 ? "null"u8.ToArray() : Quoted(text);

    /// <summary>A text as JSON.</summary>
    public static byte[] Quoted(string text) =>
        [(byte)'"', .. JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes, (byte)'"'];

    public void Add(scoped ReadOnlySpan<byte> json)
    {
        json.CopyTo(room[length..]);
        length += json.Length;
    }

    public void Add(RowKey key) => Add(key.Bytes);

    /// <summary>The first key: a brace takes the place of the comma.</summary>
    public void Begin(RowKey first)
    {
        Add(first);
        room[0] = (byte)'{';
    }

    /// <param name="text">A text that needs no escaping.</param>
    public void AddQuoted(scoped ReadOnlySpan<byte> text)
    {
        room[length++] = (byte)'"';
        Add(text);
        room[length++] = (byte)'"';
    }

    /// <summary>A text that spells a number, as that number.</summary>
    public void AddNumber(scoped ReadOnlySpan<byte> quoted) => length += NumberText.Write(quoted, room[length..]);

    public void AddNull() => Add("null"u8);

    public void Add(long value)
    {
        if (!Utf8Formatter.TryFormat(value, room[length..], out var written))
            throw Full();
        length += written;
    }

    public void Add(ulong value)
    {
        if (!Utf8Formatter.TryFormat(value, room[length..], out var written))
            throw Full();
        length += written;
    }

    /// <summary>A number with at most this many decimals, 0 to 4. NaN and infinities are not JSON: they count as not delivered.</summary>
    public void Add(double? delivered, int decimals)
    {
        if (delivered is not { } value || !double.IsFinite(value))
        {
            AddNull();
            return;
        }
        var scaled = Math.Round(value * powers[decimals]);
        // Up to 15 digits are the digits of the nearest double; finding them for any double takes five times as long.
        if (Math.Abs(scaled) >= 1e15)
        {
            if (!Utf8Formatter.TryFormat(Math.Round(value, decimals), room[length..], out var written))
                throw Full();
            length += written;
            return;
        }
        if (scaled < 0)
            Add("-"u8);
        var (whole, fraction) = Math.DivRem((ulong)Math.Abs(scaled), (ulong)powers[decimals]);
        Add(whole);
        if (fraction == 0)
            return;
        for (; fraction % 10 == 0; fraction /= 10)
            decimals--;
        Add("."u8);
        Instants.Digits(room, length, decimals, (int)fraction);
        length += decimals;
    }

    /// <inheritdoc cref="Add(double?, int)"/>
    public void Add(RowKey key, double? delivered, int decimals)
    {
        Add(key);
        Add(delivered, decimals);
    }

    /// <summary>Hands the row over.</summary>
    public readonly void End() => target.Advance(length);

    /// <summary>Adds JSON without the line ends between its values: a row of NDJSON is one line.</summary>
    public void AddOnOneLine(ReadOnlySpan<byte> raw)
    {
        if (!raw.ContainsAny((byte)'\n', (byte)'\r'))
        {
            Add(raw);
            return;
        }
        var inText = false;
        for (var i = 0; i < raw.Length; i++)
        {
            if (!inText && raw[i] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
                continue;
            var count = raw[i] == '\\' ? 2 : 1;
            if (raw[i] == '"')
                inText = !inText;
            Add(raw.Slice(i, count));
            i += count - 1;
        }
    }

    static InvalidOperationException Full() => new("a row is longer than it can be");
}
