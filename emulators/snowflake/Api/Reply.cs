using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Answers of a known length.</summary>
static class Reply
{
    public static Task Json(HttpContext call, int status, JsonNode json)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer))
            json.WriteTo(writer);
        return Bytes(call, status, "application/json", buffer.WrittenMemory);
    }

    public static Task Text(HttpContext call, int status, string text, string contentType = "text/plain; charset=utf-8") =>
        Bytes(call, status, contentType, Encoding.UTF8.GetBytes(text));

    /// <summary>Sets the routing hint that Snowflake gives each channel: Base64 of an address and port.</summary>
    public static void Session(HttpContext call, Pipe pipe, string channel)
    {
        var hash = Crc32C.Of(Encoding.UTF8.GetBytes($"{pipe.Database}.{pipe.Schema}.{pipe.Name}.{channel.ToUpperInvariant()}"));
        var address = string.Create(
            CultureInfo.InvariantCulture,
            $"10.{hash >> 24}.{(hash >> 16) & 255}.{(hash >> 8) & 255}:{8000 + (hash & 255)}"
        );
        call.Response.Headers["x-snowflake-session"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(address));
    }

    static async Task Bytes(HttpContext call, int status, string contentType, ReadOnlyMemory<byte> body)
    {
        call.Response.StatusCode = status;
        call.Response.ContentType = contentType;
        call.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(call.Request.Method))
            await call.Response.Body.WriteAsync(body, call.RequestAborted);
    }
}
