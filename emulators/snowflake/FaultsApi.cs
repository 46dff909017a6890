using System.Globalization;
using System.IO.Enumeration;
using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Switches faults on and off. Safe for concurrent use.</summary>
sealed class FaultsApi(StreamingTables tables, Faults faults)
{
    /// <summary>GET: lists the faults that are switched on.</summary>
    public Task List(HttpContext context) => Reply.Json(context, 200, json => WriteFaults(json, faults.List()));

    /// <summary>DELETE: switches all faults off, or the one of an id.</summary>
    public async Task Clear(HttpContext context, string? id)
    {
        int? number = int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : null;
        if (id is null || (number is not null && faults.Clear(number) > 0))
        {
            if (id is null)
                faults.Clear(null);
            await List(context);
            return;
        }
        await Reply.Error(context, 404, "NO_SUCH_FAULT", $"There is no fault {id}; it may have been used up.");
    }

    /// <summary>POST: switches a fault on, as the query or a JSON body describes it.</summary>
    public async Task Add(HttpContext context)
    {
        Dictionary<string, string> values = [];
        foreach (var (key, value) in context.Request.Query)
            values[key] = value.ToString();
        try
        {
            using var buffer = new MemoryStream();
            await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
            if (buffer.Length > 0)
            {
                using var body = JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
                if (body.RootElement.ValueKind != JsonValueKind.Object)
                    throw new JsonException("it must be an object");
                foreach (var property in body.RootElement.EnumerateObject().Where(p => p.Value.ValueKind != JsonValueKind.Null))
                    values[property.Name] = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString()! : property.Value.GetRawText();
            }
        }
        catch (Exception e) when (CallGate.IsBadJson(e))
        {
            await Reply.Error(context, 400, "BAD_FAULT", $"The body is not a JSON object: {e.Message}");
            return;
        }
        if (faults.Parse(values, out var problem) is not { } fault)
        {
            await Reply.Error(context, 400, "BAD_FAULT", problem!);
            return;
        }
        if (fault.Kind == "invalidate")
        {
            // Done at once: what a client must notice by itself is that an idle channel is not good any more.
            var hit = tables.All.Sum(s => s.Invalidate(
                name => FileSystemName.MatchesSimpleExpression(fault.Channel, name), fault.Code ?? "ERR_CHANNEL_MUST_BE_REOPENED"));
            await Reply.Json(context, 200, json =>
            {
                json.WriteStartObject();
                json.WriteNumber("invalidated", hit);
                json.WriteEndObject();
            });
            return;
        }
        faults.Add(fault);
        await Reply.Json(context, 200, json => WriteFault(json, fault));
    }

    static void WriteFaults(Utf8JsonWriter json, IReadOnlyList<Fault> list)
    {
        json.WriteStartArray();
        foreach (var fault in list)
            WriteFault(json, fault);
        json.WriteEndArray();
    }

    static void WriteFault(Utf8JsonWriter json, Fault fault)
    {
        json.WriteStartObject();
        json.WriteNumber("id", fault.Id);
        json.WriteString("kind", fault.Kind);
        json.WriteString("endpoint", fault.Endpoint);
        json.WriteString("channel", fault.Channel);
        if (fault.Kind == "status")
            json.WriteNumber("status", fault.Status);
        if (fault.Code is not null)
            json.WriteString("code", fault.Code);
        if (fault.Host is not null)
            json.WriteString("host", fault.Host);
        if (fault.Span != TimeSpan.Zero)
            json.WriteNumber("span_seconds", fault.Span.TotalSeconds);
        if (fault.Skip > 0)
            json.WriteNumber("skip", fault.Skip);
        if (fault.Times is { } times)
            json.WriteNumber("times", times);
        if (fault.Until is { } until)
            json.WriteString("until", until);
        json.WriteEndObject();
    }
}
