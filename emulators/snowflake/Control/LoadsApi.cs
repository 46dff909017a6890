using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Shows what classic Snowpipe has loaded. Safe for concurrent use.</summary>
sealed class LoadsApi(StreamingTables tables)
{
    // The forwarder makes some 7,000 objects a day.
    const int MostEntries = 10_000;

    /// <summary>GET: the load history of every pipe, 14 days, oldest entry first; with <c>pipe</c> only that pipe's.</summary>
    public Task List(HttpContext call)
    {
        var pipe = call.Request.Query["pipe"].ToString();
        var loads = tables
            .All.SelectMany(store => store.Loads(0, MostEntries))
            .Where(load => pipe.Length == 0 || load.Pipe.EndsWith(pipe, StringComparison.OrdinalIgnoreCase));
        return Reply.Json(call, 200, new JsonArray([.. loads.Select(load => LoadReport.Describe(load, withPipe: true))]));
    }
}
