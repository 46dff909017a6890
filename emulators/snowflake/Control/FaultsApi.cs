using System.Globalization;
using System.IO.Enumeration;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Switches faults on and off. Safe for concurrent use.</summary>
sealed class FaultsApi(StreamingTables tables, Faults faults, TimeProvider clock)
{
    /// <summary>GET: lists the active faults.</summary>
    public Task List(HttpContext call) => Reply.Json(call, 200, new JsonArray([.. faults.List().Select(Describe)]));

    /// <summary>DELETE: removes all faults.</summary>
    public Task ClearAll(HttpContext call)
    {
        faults.Clear(null);
        return List(call);
    }

    /// <summary>DELETE with an id: removes one fault.</summary>
    public Task Clear(HttpContext call)
    {
        var isNumber = int.TryParse(call.Name("id"), NumberStyles.None, CultureInfo.InvariantCulture, out var id);
        return isNumber && faults.Clear(id) > 0
            ? List(call)
            : throw new RefusedException(404, "NO_SUCH_FAULT", $"There is no fault {call.Name("id")}; it may have been used up.");
    }

    /// <summary>POST: adds a fault described by the query or a JSON body.</summary>
    public async Task Add(HttpContext call)
    {
        var values = await JsonBody.ReadAsync(call, ReadValues);
        foreach (var (key, value) in call.Request.Query)
            values.TryAdd(key, value.ToString());
        var fault = FaultReader.Read(values, clock.GetUtcNow());
        if (fault.Kind == "invalidate")
        {
            // Applied at once: a client must notice by itself that an idle channel has become invalid.
            var hit = tables.All.Sum(s =>
                s.Invalidate(
                    name => FileSystemName.MatchesSimpleExpression(fault.Channel, name),
                    fault.Code ?? "ERR_CHANNEL_MUST_BE_REOPENED"
                )
            );
            await Reply.Json(call, 200, new JsonObject { ["invalidated"] = hit });
            return;
        }
        faults.Add(fault);
        await Reply.Json(call, 200, Describe(fault));
    }

    static Dictionary<string, string> ReadValues(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Undefined)
            return [];
        JsonBody.RequireObject(json);
        return json.EnumerateObject()
            .Where(p => p.Value.ValueKind != JsonValueKind.Null)
            .ToDictionary(p => p.Name, p => p.Value.ValueKind == JsonValueKind.String ? p.Value.GetString()! : p.Value.GetRawText());
    }

    static JsonObject Describe(Fault fault)
    {
        var json = new JsonObject
        {
            ["id"] = fault.Id,
            ["kind"] = fault.Kind,
            ["endpoint"] = fault.Endpoint,
            ["channel"] = fault.Channel,
        };
        if (fault.Kind == "status")
            json["status"] = fault.Status;
        if (fault.Code is not null)
            json["code"] = fault.Code;
        if (fault.Host is not null)
            json["host"] = fault.Host;
        if (fault.Span != TimeSpan.Zero)
            json["span_seconds"] = fault.Span.TotalSeconds;
        if (fault.Skip > 0)
            json["skip"] = fault.Skip;
        if (fault.Times is not null)
            json["times"] = fault.Times;
        if (fault.Until is not null)
            json["until"] = fault.Until;
        return json;
    }
}
