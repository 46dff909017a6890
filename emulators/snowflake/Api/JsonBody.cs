using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Reads the JSON body of a call.</summary>
static class JsonBody
{
    /// <summary>Reads the body and extracts what the endpoint needs.</summary>
    /// <param name="call">The call.</param>
    /// <param name="read">
    /// Receives the JSON, or a value of kind Undefined if the body is empty. Throws <see cref="JsonException"/> with the end of a sentence
    /// ("it must be…") if it is not what the endpoint takes.
    /// </param>
    /// <exception cref="RefusedException">
    /// The body is not JSON, is longer than <see cref="RowsApi.MaxBody"/> bytes, or was not accepted.
    /// </exception>
    public static async Task<T> ReadAsync<T>(HttpContext call, Func<JsonElement, T> read)
    {
        try
        {
            var body = await ReadAsync(call);
            using var json = body.Length == 0 ? null : JsonDocument.Parse(body);
            return read(json?.RootElement ?? default);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException is how JsonElement reports half of a surrogate pair in a text.
            throw new RefusedException(400, "ERR_INVALID_REQUEST_BODY", $"The body is not the JSON that this endpoint takes: {e.Message}");
        }
    }

    static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContext call)
    {
        using var buffer = new MemoryStream();
        var block = new byte[16 * 1024];
        for (int read; (read = await call.Request.Body.ReadAsync(block, call.RequestAborted)) > 0; )
        {
            buffer.Write(block, 0, read);
            if (buffer.Length > RowsApi.MaxBody)
                throw new JsonException($"it is longer than {RowsApi.MaxBody} bytes");
        }
        return buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
    }

    /// <exception cref="JsonException">The value is not an object.</exception>
    public static void RequireObject(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new JsonException("it must be an object");
    }

    /// <summary>The text of a key; null if the key is absent or null.</summary>
    /// <exception cref="JsonException">The value is not a text.</exception>
    public static string? OptionalText(JsonElement json, string key) =>
        !json.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw new JsonException($"{key} must be a string");
}
