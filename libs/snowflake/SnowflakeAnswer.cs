using System.Net;
using System.Text.Json;

namespace ThermalStreaming.Snowflake;

/// <summary>An answer as it arrived, and whether it can be the expected one.</summary>
/// <param name="Operation">The call that was made.</param>
/// <param name="Status">Its HTTP status.</param>
/// <param name="Body">Its body as text, "" if it had none.</param>
/// <param name="Session">Its <c>x-snowflake-session</c>; null if it has none that may be sent back.</param>
/// <param name="Error">
/// The error that it means; null only for a 200 or 201 that mentions no error. Its body may still not be the expected one: a proxy or a
/// captive portal answers with 200 too.
/// </param>
sealed record SnowflakeAnswer(string Operation, HttpStatusCode Status, string Body, string? Session, SnowflakeError? Error)
{
    /// <summary>The body as a JSON object.</summary>
    /// <exception cref="SnowflakeException">It is not a JSON object.</exception>
    public JsonDocument Json()
    {
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(Body);
        }
        catch (JsonException)
        {
            // Reported below with every other shape that is not an object.
        }
        if (document?.RootElement.ValueKind == JsonValueKind.Object)
            return document;
        document?.Dispose();
        throw Unusable(Body.Length == 0 ? "the answer is empty" : "the answer is not a JSON object");
    }

    /// <summary>The answer is not the expected one. Its beginning is quoted.</summary>
    public SnowflakeException Unusable(string problem)
    {
        var error = SnowflakeError.Parse(Operation, Status, Body, null);
        return new(
            error with
            {
                Text = Body.Length == 0 ? problem : SnowflakeError.OneLine($"{problem}: {(error.IsPage ? error.Text : Body)}"),
            }
        );
    }

    /// <summary>A text field; "" if it is missing or not a text.</summary>
    public static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
