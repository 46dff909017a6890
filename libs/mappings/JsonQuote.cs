using System.Text;
using System.Text.Json;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Mappings;

/// <summary>Values of senders as a person may read them: short, and without control characters.</summary>
static class JsonQuote
{
    public static string Of(string text) => JsonProblem.Quote(Encoding.UTF8.GetBytes(text));

    /// <summary>A value of a payload and what it is.</summary>
    public static string Of(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => $"the text {Of(value.GetString()!)}",
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "a list",
            _ => value.GetRawText() is { Length: <= 40 } raw ? raw : value.GetRawText()[..40] + "…",
        };
}
