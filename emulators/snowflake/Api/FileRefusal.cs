using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Refusals of classic Snowpipe's REST API, in the form of errors of the account's host.</summary>
static class FileRefusal
{
    /// <summary>Start of the paths with such answers.</summary>
    public const string Root = "/v1/data/pipes/";

    public const string NotFound = "390404";
    const string BadRequest = "390400";

    /// <summary>400: the request cannot be understood, or is over a limit.</summary>
    public static RefusedException Bad(string message) => new(400, Answer(BadRequest, message));

    /// <summary>404: there is no such pipe, or the role may not use it; Snowflake does not say which.</summary>
    public static RefusedException Missing() =>
        new(404, Answer(NotFound, "Specified object does not exist or not authorized. Pipe not found"));

    public static JsonObject Answer(string code, string message) =>
        new()
        {
            ["data"] = null,
            ["code"] = code,
            ["message"] = message,
            ["success"] = false,
            ["headers"] = null,
        };
}
