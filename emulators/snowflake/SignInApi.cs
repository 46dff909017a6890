namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What a client asks of the account host: the ingest host, a scoped token, and a place for its telemetry.</summary>
sealed class SignInApi(CallGate gate, EmulatorSettings settings, Authenticator authenticator, Faults faults)
{
    const string JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    const string TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    const string AccessTokenType = "programmatic_access_token";

    /// <summary>GET: tells the ingest host.</summary>
    public async Task Hostname(HttpContext context)
    {
        var plan = faults.Take("hostname", []);
        if (!await gate.Proceed(context, plan) || await gate.Authenticate(context) is null)
            return;
        var host = plan.Host ?? settings.IngestHost ?? context.Request.Host.Host;
        if (plan.LoseReply)
            context.Abort();
        else if (settings.HostnameFormat == AnswerFormat.Json)
            await Reply.Json(context, 200, json =>
            {
                json.WriteStartObject();
                json.WriteString("hostname", host);
                json.WriteEndObject();
            });
        else
            await Reply.Text(context, 200, host, "text/plain");
    }

    /// <summary>POST: exchanges a key-pair JWT or a programmatic access token for a scoped token.</summary>
    public async Task Token(HttpContext context)
    {
        var plan = faults.Take("token", []);
        if (!await gate.Proceed(context, plan))
            return;
        if (!context.Request.HasFormContentType)
        {
            await OAuthError(context, "invalid_request", "The body must be application/x-www-form-urlencoded.");
            return;
        }
        IFormCollection form;
        try
        {
            form = await context.Request.ReadFormAsync(context.RequestAborted);
        }
        catch (InvalidDataException e)
        {
            await OAuthError(context, "invalid_request", e.Message);
            return;
        }
        var grant = form["grant_type"].ToString();
        if (grant is not (JwtBearer or TokenExchange))
        {
            await OAuthError(context, "unsupported_grant_type", $"grant_type must be {JwtBearer} for a key-pair JWT or {TokenExchange} for an access token.");
            return;
        }
        if (grant == TokenExchange && form["subject_token_type"] != AccessTokenType)
        {
            await OAuthError(context, "invalid_request", $"subject_token_type must be {AccessTokenType}.");
            return;
        }
        // The token is in the header or in the form; both were seen to work.
        var inForm = form[grant == JwtBearer ? "assertion" : "subject_token"].ToString();
        var identity = authenticator.Authenticate(CallGate.Bearer(context) ?? (inForm.Length > 0 ? inForm : null));
        if (identity.User is null)
        {
            await gate.Unauthorized(context, identity);
            return;
        }
        if (identity.IsAccessToken != (grant == TokenExchange))
        {
            await OAuthError(context, "invalid_grant", identity.IsAccessToken
                ? $"A programmatic access token is exchanged with grant_type={TokenExchange} and subject_token_type={AccessTokenType}."
                : $"A key-pair JWT is exchanged with grant_type={JwtBearer}.");
            return;
        }
        var scope = form["scope"].ToString();
        var token = authenticator.IssueScoped(identity, scope.Length > 0 ? scope : null);
        if (plan.LoseReply)
            context.Abort();
        else if (settings.TokenFormat == AnswerFormat.Json)
            await Reply.Json(context, 200, json =>
            {
                json.WriteStartObject();
                json.WriteString("token", token);
                json.WriteEndObject();
            });
        else
            await Reply.Text(context, 200, token, "text/plain");
    }

    /// <summary>POST: takes a client's telemetry, and keeps nothing of it. Faults leave it alone: clients send it at any time.</summary>
    public async Task Telemetry(HttpContext context)
    {
        if (await gate.Authenticate(context) is null)
            return;
        await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        await Reply.Json(context, 200, json =>
        {
            json.WriteStartObject();
            json.WriteBoolean("success", true);
            json.WriteNull("code");
            json.WriteNull("message");
            json.WriteString("data", "OK");
            json.WriteEndObject();
        });
    }

    static Task OAuthError(HttpContext context, string error, string message) => Reply.Json(context, 400, json =>
    {
        json.WriteStartObject();
        json.WriteNull("data");
        json.WriteString("error", error);
        json.WriteString("message", message);
        json.WriteBoolean("success", false);
        json.WriteEndObject();
    });

}
