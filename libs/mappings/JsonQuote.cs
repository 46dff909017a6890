using System.Text;
using System.Text.Json;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Mappings;

/// <summary>Makes senders' values readable for a person: short, and without control characters.</summary>
static class JsonQuote
{
    public static string Of(string text) => JsonProblem.Quote(Encoding.UTF8.GetBytes(text));

    /// <summary>A value of a payload and its type.</summary>
    public static string Of(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => $"the text {Of(value.GetString()!)}",
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "a list",
            _ => value.GetRawText() is { Length: <= 40 } raw ? raw : value.GetRawText()[..40] + "…",
        };
}
