using System.Globalization;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Entries of a load history with the names of Snowflake's REST API.</summary>
static class LoadReport
{
    public static JsonArray Files(IEnumerable<FileLoad> loads) => new([.. loads.Select(load => Describe(load, withPipe: false))]);

    /// <param name="load">The entry.</param>
    /// <param name="withPipe">Also adds the pipe, which Snowflake's answers name once.</param>
    public static JsonObject Describe(FileLoad load, bool withPipe)
    {
        var json = new JsonObject();
        if (withPipe)
            json["pipe"] = load.Pipe;
        json["path"] = load.Path;
        json["stageLocation"] = load.StageLocation;
        json["fileSize"] = load.Size;
        json["timeReceived"] = Time(load.ReceivedMs);
        json["lastInsertTime"] = Time(load.LoadedMs);
        json["rowsInserted"] = load.RowsLoaded;
        json["rowsParsed"] = load.RowsParsed;
        json["errorsSeen"] = load.Errors;
        json["errorLimit"] = load.ErrorLimit;
        json["complete"] = true;
        json["status"] = load.Status switch
        {
            LoadStatus.Loaded => "LOADED",
            LoadStatus.PartiallyLoaded => "PARTIALLY_LOADED",
            _ => "LOAD_FAILED",
        };
        if (load.FirstError is not { } error)
            return json;
        json["firstError"] = error.Message;
        json["firstErrorLineNum"] = error.Line;
        json["firstErrorCharacterPos"] = error.Character;
        json["firstErrorColumnName"] = error.Column;
        json["systemError"] = null;
        return json;
    }

    public static string Time(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}
