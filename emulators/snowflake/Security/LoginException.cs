using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A refused token: Snowflake's answer, and the reason that Snowflake tells only an administrator.</summary>
/// <param name="code">Snowflake's code in the answer.</param>
/// <param name="message">Snowflake's words in the answer.</param>
/// <param name="reasonCode">Error code of SYSTEM$GET_LOGIN_FAILURE_DETAILS.</param>
/// <param name="reasonName">Error name of SYSTEM$GET_LOGIN_FAILURE_DETAILS.</param>
/// <param name="advice">What is wrong, and what to do about it.</param>
sealed class LoginException(string code, string message, string reasonCode, string reasonName, string advice)
    : RefusedException(
        401,
        new JsonObject
        {
            ["data"] = null,
            ["code"] = code,
            ["message"] = message,
            ["success"] = false,
            ["headers"] = null,
            ["login_failure_details"] = new JsonObject
            {
                ["errorCode"] = reasonCode,
                ["errorName"] = reasonName,
                ["advice"] = advice,
            },
        }
    )
{
    public string ReasonCode { get; } = reasonCode;

    public string ReasonName { get; } = reasonName;

    public string Advice { get; } = advice;
}
