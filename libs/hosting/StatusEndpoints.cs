using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace ThermalStreaming.Hosting;

/// <summary>
/// What a service answers over HTTP: /healthz, /readyz, /metrics and /status. Four paths need no routing, which would cost memory.
/// </summary>
/// <param name="service">Name of the service.</param>
/// <param name="health">Its parts.</param>
/// <param name="metrics">Its metrics.</param>
/// <param name="page">Its figures.</param>
/// <param name="clock">For the time in /status.</param>
sealed class StatusEndpoints(string service, Health health, PrometheusText metrics, StatusPage page, TimeProvider clock)
{
    public Task AnswerAsync(HttpContext context) =>
        (HttpMethods.IsGet(context.Request.Method), context.Request.Path.Value) switch
        {
            (false, _) => WriteAsync(context, 405, "only GET is answered\n"),
            (_, "/healthz") => WriteAsync(context, 200, "ok\n"),
            (_, "/readyz") => WriteAsync(context, health.IsReady ? 200 : 503, Readiness()),
            (_, "/metrics") => WriteAsync(context, 200, metrics.Render(), PrometheusText.ContentType),
            (_, "/status") => WriteStatusAsync(context.Response),
            _ => WriteAsync(context, 404, "there are /healthz, /readyz, /metrics and /status\n"),
        };

    static Task WriteAsync(HttpContext context, int code, string text, string contentType = "text/plain; charset=utf-8")
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = contentType;
        return context.Response.WriteAsync(text);
    }

    string Readiness()
    {
        var lines = health
            .Parts.Select(part =>
                part.Value is not null ? $"FAIL {part.Key}: {part.Value}"
                : health.Note(part.Key) is { } note ? $"ok   {part.Key}: {note}"
                : $"ok   {part.Key}"
            )
            .ToList();
        return (lines.Count == 0 ? "FAIL starting: no part has reported yet" : string.Join('\n', lines)) + "\n";
    }

    async Task WriteStatusAsync(HttpResponse response)
    {
        response.ContentType = "application/json";
        var buffer = new ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("service"u8, service);
            json.WriteString("time"u8, clock.GetUtcNow());
            json.WriteBoolean("ready"u8, health.IsReady);
            json.WriteStartObject("parts"u8);
            foreach (var (part, problem) in health.Parts)
                json.WriteString(part, problem ?? "ok");
            json.WriteEndObject();
            page.Write(json);
            json.WriteEndObject();
        }
        await response.Body.WriteAsync(buffer.WrittenMemory);
    }
}
