using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace ThermalStreaming.Readings;

/// <summary>Tells which format a payload has, and what an unreadable one seems to be.</summary>
public static partial class PayloadFormat
{
    const int MaxPatternBytes = 512;

    static ReadOnlySpan<byte> Space => " \t\r\n"u8;

    static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>
    /// Whether to read a payload as JSON: if its content type says so, or it begins with a brace or a bracket behind a byte order mark and
    /// white space.
    /// </summary>
    /// <param name="payload">As it came.</param>
    /// <param name="contentType">As it came; null when the sender gave none.</param>
    /// <param name="body">The payload; JSON without its byte order mark.</param>
    public static bool IsJson(ReadOnlyMemory<byte> payload, string? contentType, out ReadOnlyMemory<byte> body)
    {
        body = payload;
        var span = payload.Span;
        // As in nearly every message.
        if (span.IsEmpty || span[0] == '{')
            return !span.IsEmpty;
        var mark = span.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
        var text = span[mark..].TrimStart(Space);
        var isDeclared = contentType?.StartsWith(Payload.JsonContentType, StringComparison.OrdinalIgnoreCase) == true;
        var looksLikeIt = !text.IsEmpty && text[0] is (byte)'{' or (byte)'[';
        // The tag of device_id is a line feed, and its length may be the code of a brace.
        if (!isDeclared && (!looksLikeIt || (span[0] == '\n' && ProtobufPayload.IsWellFormed(span))))
            return false;
        body = payload[mark..];
        return true;
    }

    /// <summary>What a payload that cannot be read seems to be; null when that is not known.</summary>
    /// <param name="payload">As it came.</param>
    internal static string? Explain(ReadOnlySpan<byte> payload)
    {
        if (Compression(payload) is { } compression)
            return $"it is compressed ({compression}); publish it as it is, uncompressed";
        if (Utf16(payload) is { } utf16)
            return $"it is {utf16}, not UTF-8; publish it as UTF-8";
        if (InvalidByte(payload) is var invalid and >= 0)
            return IsMostlyText(payload)
                ? $"it is not UTF-8: byte {invalid} is 0x{payload[invalid]:X2}{Latin1(payload[invalid])}; publish it as UTF-8"
                : null;
        if (payload.IndexOf((byte)0) is var zero and >= 0)
        {
            return IsMostlyText(payload.TrimEnd((byte)0))
                ? $"it has a NUL (0x00) at byte {zero}; the sender also publishes the zero that ends a C string, so subtract 1 from "
                    + "the length"
                : null;
        }
        var start = payload.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
        var text = payload[start..].Trim(Space);
        return IsPlainText(payload) && (text.IsEmpty || text[0] is not ((byte)'{' or (byte)'[')) ? ExplainText(text) : null;
    }

    static string ExplainText(ReadOnlySpan<byte> text)
    {
        const string expected = "a JSON object such as {\"temperature\": 21.5} is expected";
        if (text.IsEmpty)
            return $"it is white space only; {expected}";
        var quoted = JsonProblem.Quote(text);
        if (DecimalNumber.TryParse(text, out _))
            return $"it is a bare number, {quoted}, without a key; {expected}";
        if (text.Length > 1 && text[0] == '"' && text[^1] == '"')
            return $"it is a JSON string, {quoted}; {expected}";
        if (text[0] == '\'')
            return $"it begins with a single quote; {expected}";
        if (text[0] == '<')
            return $"it is XML or HTML, {quoted}; {expected}";
        if (text.Length <= MaxPatternBytes)
        {
            var letters = Encoding.UTF8.GetString(text);
            if (letters.All(letter => char.IsLetterOrDigit(letter) || letter is '_' or '-'))
                return $"it is a bare word, {quoted}; {expected}";
            if (LineProtocol().IsMatch(letters))
                return $"it is InfluxDB line protocol, {quoted}; have the sender format JSON (Telegraf: data_format = \"json\"); {expected}";
            if (QueryString().IsMatch(letters))
                return $"it is a list of key=value, {quoted}; {expected}";
            if (Csv().IsMatch(letters))
                return $"it is a list of values without keys, {quoted}; {expected}";
        }
        return $"it is plain text, {quoted}; {expected}";
    }

    static string? Compression(ReadOnlySpan<byte> payload)
    {
        if (payload.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return "gzip";
        if (payload.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]))
            return "Zstandard";
        if (payload.StartsWith("PK\u0003\u0004"u8))
            return "ZIP";
        if (payload.StartsWith("BZh"u8) && payload.Length > 3 && payload[3] is >= (byte)'1' and <= (byte)'9')
            return "bzip2";
        if (payload.StartsWith((ReadOnlySpan<byte>)[0x04, 0x22, 0x4D, 0x18]))
            return "LZ4";
        if (payload.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z']))
            return "xz";
        return
            payload.Length > 2
            && payload[0] == 0x78
            && payload[1] is 0x01 or 0x5E or 0x9C or 0xDA
            && (payload[0] * 256 + payload[1]) % 31 == 0
            && InvalidByte(payload) >= 0
            ? "zlib"
            : null;
    }

    static string? Utf16(ReadOnlySpan<byte> payload)
    {
        if (payload.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE, 0, 0]) || payload.StartsWith((ReadOnlySpan<byte>)[0, 0, 0xFE, 0xFF]))
            return "UTF-32";
        if (payload.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]))
            return "UTF-16 (little-endian)";
        if (payload.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
            return "UTF-16 (big-endian)";
        // UTF-16 without its mark: every other byte of ASCII is 0.
        if (payload.Length >= 4 && payload[0] > ' ' && payload[1] == 0 && payload[2] is >= 9 and < 0x80 && payload[3] == 0)
            return "UTF-16 (little-endian)";
        return payload.Length >= 4 && payload[0] == 0 && payload[1] > ' ' && payload[2] == 0 && payload[3] is >= 9 and < 0x80
            ? "UTF-16 (big-endian)"
            : null;
    }

    /// <summary>Where valid UTF-8 ends; less than 0 when all of it is valid.</summary>
    static int InvalidByte(ReadOnlySpan<byte> payload)
    {
        if (Utf8.IsValid(payload))
            return -1;
        var at = 0;
        while (Rune.DecodeFromUtf8(payload[at..], out _, out var used) == OperationStatus.Done)
            at += used;
        return at;
    }

    static string Latin1(byte value) => value >= 0xA0 ? $", '{(char)value}' in Latin-1 (ISO 8859-1)" : "";

    /// <summary>A ReadingBatch has a control character with every field.</summary>
    static bool IsMostlyText(ReadOnlySpan<byte> payload)
    {
        var odd = 0;
        foreach (var value in payload)
            odd += value < 0x20 && !Space.Contains(value) ? 1 : 0;
        return odd <= 1 || odd * 50 < payload.Length;
    }

    static bool IsPlainText(ReadOnlySpan<byte> payload)
    {
        foreach (var value in payload)
        {
            if (value is < 0x20 or 0x7F && !Space.Contains(value))
                return false;
        }
        return true;
    }

    [GeneratedRegex(@"\A[^\s,=]+(,[^\s=]+=[^\s,]+)*\s+[^\s=]+=\S+")]
    private static partial Regex LineProtocol();

    [GeneratedRegex(@"\A[\w.\-]+=[^=&;]*([&;,\s]+[\w.\-]+=[^=&;]*)*\z")]
    private static partial Regex QueryString();

    [GeneratedRegex(@"\A[^\s,;]*([,;\t][^,;\t]*)+\z")]
    private static partial Regex Csv();
}
