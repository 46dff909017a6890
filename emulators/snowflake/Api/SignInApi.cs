using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Endpoints of the account's host: the ingest host, a scoped token, a place for telemetry. Safe for concurrent use.</summary>
sealed class SignInApi(EmulatorSettings settings, Authenticator authenticator)
{
    const string JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    const string TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    const string AccessTokenType = "programmatic_access_token";

    /// <summary>GET: tells the ingest host.</summary>
    public Task Hostname(HttpContext call) =>
        Answer(call, settings.HostnameFormat, "hostname", call.Plan().Host ?? settings.IngestHost ?? call.Request.Host.Host);

    /// <summary>POST: exchanges a key-pair JWT or a programmatic access token for a scoped token.</summary>
    public async Task Token(HttpContext call)
    {
        if (!call.Request.HasFormContentType)
            throw Refused("invalid_request", "The body must be application/x-www-form-urlencoded.");
        IFormCollection form;
        try
        {
            form = await call.Request.ReadFormAsync(call.RequestAborted);
        }
        catch (InvalidDataException e)
        {
            throw Refused("invalid_request", e.Message);
        }
        var grant = form["grant_type"].ToString();
        if (grant is not (JwtBearer or TokenExchange))
        {
            throw Refused(
                "unsupported_grant_type",
                $"grant_type must be {JwtBearer} for a key-pair JWT or {TokenExchange} for an access token."
            );
        }
        if (grant == TokenExchange && form["subject_token_type"] != AccessTokenType)
            throw Refused("invalid_request", $"subject_token_type must be {AccessTokenType}.");
        // Snowflake takes the token from the header or from the form.
        var identity = authenticator.Authenticate(call.Bearer() ?? form[grant == JwtBearer ? "assertion" : "subject_token"]);
        if (identity.IsAccessToken != (grant == TokenExchange))
        {
            throw Refused(
                "invalid_grant",
                identity.IsAccessToken
                    ? $"Exchange an access token with grant_type={TokenExchange} and subject_token_type={AccessTokenType}."
                    : $"Exchange a key-pair JWT with grant_type={JwtBearer}."
            );
        }
        await Answer(call, settings.TokenFormat, "token", authenticator.IssueScoped(identity, form["scope"].ToString()));
    }

    /// <summary>POST: accepts a client's telemetry and discards it.</summary>
    public static async Task Telemetry(HttpContext call)
    {
        await call.Request.Body.CopyToAsync(Stream.Null, call.RequestAborted);
        await Reply.Json(
            call,
            200,
            new JsonObject
            {
                ["success"] = true,
                ["code"] = null,
                ["message"] = null,
                ["data"] = "OK",
            }
        );
    }

    static Task Answer(HttpContext call, AnswerFormat format, string key, string value) =>
        format == AnswerFormat.Json ? Reply.Json(call, 200, new JsonObject { [key] = value }) : Reply.Text(call, 200, value, "text/plain");

    static RefusedException Refused(string error, string message) =>
        new(
            400,
            new JsonObject
            {
                ["data"] = null,
                ["error"] = error,
                ["message"] = message,
                ["success"] = false,
            }
        );
}
