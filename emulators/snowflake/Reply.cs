using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Answers of a known length.</summary>
static class Reply
{
    public static async Task Json(HttpContext context, int status, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
            write(json);
        await Bytes(context, status, "application/json", buffer.WrittenMemory);
    }

    /// <summary>An error with <c>code</c> and <c>message</c>, the shape most of Snowflake's errors have.</summary>
    public static Task Error(HttpContext context, int status, string code, string message) => Json(context, status, json =>
    {
        json.WriteStartObject();
        json.WriteString("code", code);
        json.WriteString("message", message);
        json.WriteEndObject();
    });

    /// <summary>An error with <c>error_code</c> in place of <c>code</c>, as seen live for objects that do not exist.</summary>
    public static Task Missing(HttpContext context, string code, string message) => Json(context, 404, json =>
    {
        json.WriteStartObject();
        json.WriteString("error_code", code);
        json.WriteString("message", message);
        json.WriteEndObject();
    });

    /// <summary>Sets the routing hint that Snowflake gives each channel: Base64 of an address and port.</summary>
    public static void Session(HttpContext context, Pipe pipe, string channel)
    {
        var hash = Crc32C.Of(Encoding.UTF8.GetBytes($"{pipe.Database}.{pipe.Schema}.{pipe.Name}.{channel.ToUpperInvariant()}"));
        var address = string.Create(CultureInfo.InvariantCulture, $"10.{hash >> 24}.{(hash >> 16) & 255}.{(hash >> 8) & 255}:{8000 + (hash & 255)}");
        context.Response.Headers["x-snowflake-session"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(address));
    }

    public static Task Text(HttpContext context, int status, string text, string contentType = "text/plain; charset=utf-8") =>
        Bytes(context, status, contentType, Encoding.UTF8.GetBytes(text));

    static async Task Bytes(HttpContext context, int status, string contentType, ReadOnlyMemory<byte> body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
