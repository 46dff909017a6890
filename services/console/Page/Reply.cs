using System.Buffers;
using System.Text.Json;

namespace ThermalStreaming.Console;

/// <summary>Short answers.</summary>
static class Reply
{
    public static Task TextAsync(HttpContext context, int code, string text)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(text + "\n", context.RequestAborted);
    }

    public static async Task JsonAsync(HttpContext context, int code, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            write(json);
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    /// <summary>The outcome of a command, for the person who gave it.</summary>
    public static Task SaidAsync(HttpContext context, int code, string message) =>
        JsonAsync(
            context,
            code,
            json =>
            {
                json.WriteStartObject();
                json.WriteString("message"u8, message);
                json.WriteEndObject();
            }
        );
}
