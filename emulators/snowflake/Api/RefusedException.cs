using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A refused call, with its answer. <see cref="FailureGate"/> sends it.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="answer">The JSON of the answer.</param>
class RefusedException(int status, JsonObject answer) : Exception($"refused with {status}")
{
    /// <summary>With <c>code</c> and <c>message</c>, the form of most of Snowflake's errors.</summary>
    public RefusedException(int status, string code, string message)
        : this(status, new JsonObject { ["code"] = code, ["message"] = message }) { }

    public int Status { get; } = status;

    public JsonObject Answer { get; } = answer;

    /// <summary>404 with <c>error_code</c> in place of <c>code</c>, as seen live for missing pipes and tables.</summary>
    public static RefusedException Missing(string code, string message) =>
        new(404, new JsonObject { ["error_code"] = code, ["message"] = message });
}
