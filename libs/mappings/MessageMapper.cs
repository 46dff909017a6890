using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Mappings;

/// <summary>Turns a message into readings, as a mapping says. Thread-safe.</summary>
public static class MessageMapper
{
    static readonly JsonDocumentOptions options = new() { MaxDepth = 64 };

    /// <summary>
    /// Most values, keys, objects and lists in one payload. Parsed, each takes 12 bytes: together 24 MB, and more than
    /// <see cref="Payload.MaxReadings"/> readings with a dozen values need.
    /// </summary>
    const int MaxTokens = 2_000_000;

    /// <summary>Maps a message. The limits apply during the work, so that excess never takes memory first.</summary>
    /// <param name="route">Route of its topic; a mapping takes it.</param>
    /// <param name="payload">The payload as received.</param>
    /// <param name="kind">Kind of the requested readings.</param>
    /// <param name="maxBytes">Maximum size of the readings together.</param>
    /// <param name="explain">Whether to fill <see cref="MappedReading.Fields"/>.</param>
    /// <returns>The readings of that kind, including those without a value and refused ones.</returns>
    /// <exception cref="PayloadException">
    /// The payload cannot be read, or makes more readings than <see cref="Payload.MaxReadings"/>, including those without a value, or more
    /// bytes than <paramref name="maxBytes"/>; the message says why.
    /// </exception>
    public static List<MappedReading> Map(
        TopicRoute route,
        ReadOnlyMemory<byte> payload,
        ReadingKind kind,
        int maxBytes = int.MaxValue,
        bool explain = false
    )
    {
        var rule = route.Rule ?? throw new ArgumentException("No mapping takes the topic.", nameof(route));
        try
        {
            using var document = rule.IsJson ? Parse(payload, rule) : Wrap(payload, rule);
            var builder = new ReadingBuilder(rule, route, document.RootElement, explain);
            var made = new List<MappedReading>();
            var bytes = 0L;
            foreach (var reading in rule.Readings.Where(reading => reading.Kind == kind).SelectMany(builder.Build))
            {
                if (made.Count == Payload.MaxReadings)
                    throw new PayloadException(
                        $"{rule.Place}: makes more than {Payload.MaxReadings} readings of the message, the maximum for one message"
                    );
                bytes += reading.Json.Length;
                if (bytes > maxBytes)
                    throw new PayloadException(
                        $"{rule.Place}: makes readings of more than {maxBytes} bytes of the message; at most these are stored as one message"
                    );
                made.Add(reading);
            }
            return made;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, written as an escape.
            throw new PayloadException($"{rule.Place}: the payload holds a text that is not Unicode");
        }
    }

    static JsonDocument Parse(ReadOnlyMemory<byte> payload, TopicRule rule)
    {
        PayloadFormat.IsJson(payload, Payload.JsonContentType, out var body);
        JsonDocument document;
        try
        {
            if (!Utf8.IsValid(body.Span))
                throw new JsonException("it is not valid UTF-8");
            CheckTokens(body.Span, rule);
            document = JsonDocument.Parse(body, options);
        }
        catch (JsonException e)
        {
            throw new PayloadException(
                $"{rule.Place}: JSON is expected: {PayloadFormat.Explain(payload.Span) ?? $"not JSON: {Reason(e)}"}"
            );
        }
        if (document.RootElement.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
            return document;
        using (document)
            throw new PayloadException($"{rule.Place}: a JSON object is expected, and the payload is {JsonQuote.Of(document.RootElement)}");
    }

    /// <exception cref="JsonException">It is not JSON.</exception>
    static void CheckTokens(ReadOnlySpan<byte> body, TopicRule rule)
    {
        // A token takes at least a byte.
        if (body.Length <= MaxTokens)
            return;
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = options.MaxDepth });
        for (var tokens = 1; reader.Read(); tokens++)
        {
            if (tokens > MaxTokens)
                throw new PayloadException(
                    $"{rule.Place}: the payload has more than {MaxTokens} keys and values, the maximum for one message"
                );
        }
    }

    /// <summary>Wraps a bare value as a text.</summary>
    static JsonDocument Wrap(ReadOnlyMemory<byte> payload, TopicRule rule)
    {
        if (!Utf8.IsValid(payload.Span))
            throw new PayloadException(
                $"{rule.Place}: a bare value is expected: {PayloadFormat.Explain(payload.Span) ?? "it is not valid UTF-8"}"
            );
        return JsonDocument.Parse(JsonValue.Create(Encoding.UTF8.GetString(payload.Span))!.ToJsonString());
    }

    static string Reason(JsonException e)
    {
        var end = e.Message.IndexOf(". LineNumber", StringComparison.Ordinal);
        return $"{(end < 0 ? e.Message : e.Message[..end]).TrimEnd('.')}{(e.BytePositionInLine is { } at ? $", at byte {at} of line {e.LineNumber + 1}" : "")}";
    }
}
