using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The checks that every Snowflake endpoint shares: method, injected faults, who is asking, and whether the pipe exists. Each check
/// that fails answers the call itself. Safe for concurrent use.
/// </summary>
sealed partial class CallGate(StreamingTables tables, Authenticator authenticator, TimeProvider clock, ILogger<CallGate> logger)
{
    /// <summary>Checks the method; answers 405 and returns false if it is not one of <paramref name="methods"/>.</summary>
    public static async Task<bool> Allowed(HttpContext context, params string[] methods)
    {
        if (methods.Contains(context.Request.Method))
            return true;
        context.Response.Headers.Allow = string.Join(", ", methods);
        await Reply.Error(context, 405, "ERR_METHOD_NOT_ALLOWED", $"{context.Request.Method} is not allowed here; {string.Join(" and ", methods)} is.");
        return false;
    }

    /// <summary>Applies the part of a fault plan that comes before the call itself.</summary>
    /// <returns>False if the call has been answered or cut.</returns>
    public async Task<bool> Proceed(HttpContext context, FaultPlan plan)
    {
        if (plan.Delay > TimeSpan.Zero)
            await Task.Delay(plan.Delay, clock, context.RequestAborted);
        if (plan.AbortBefore)
        {
            context.Abort();
            return false;
        }
        if (plan.Refuse is not { } fault)
            return true;
        if (fault.RetryAfter is { } wait)
            context.Response.Headers.RetryAfter = wait;
        var (contentType, body) = Faults.Answer(fault);
        await Reply.Text(context, fault.Status, body, contentType);
        return false;
    }

    /// <summary>Checks Accept and Authorization of a call.</summary>
    /// <returns>The caller, or null if the call has been answered.</returns>
    public async Task<Identity?> Authenticate(HttpContext context)
    {
        var accept = context.Request.Headers.Accept;
        if (accept.Count == 0 || !accept.Any(a => a is not null && AcceptsJson(a)))
        {
            await Reply.Error(context, 406, "391902",
                $"Unsupported Accept header {(accept.Count == 0 ? "null" : accept.ToString())} is specified.");
            return null;
        }
        var identity = authenticator.Authenticate(Bearer(context));
        if (identity.User is not null)
            return identity;
        await Unauthorized(context, identity);
        return null;
    }

    static bool AcceptsJson(string accept) => accept
        .Split(',', StringSplitOptions.TrimEntries)
        .Select(range => range.Split(';')[0].Trim())
        .Any(type => type is "*/*" or "application/*" or "*" || type.Equals("application/json", StringComparison.OrdinalIgnoreCase));

    /// <summary>The bearer token of a call; null if it has none.</summary>
    public static string? Bearer(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        return header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : null;
    }

    /// <summary>Answers 401 with the reason, and logs it.</summary>
    public Task Unauthorized(HttpContext context, Identity identity)
    {
        if (identity.Failure is { } reason)
            LogRefused(context.Request.Method, context.Request.Path, reason.Code, reason.Name, reason.Advice);
        return Reply.Json(context, 401, json =>
        {
            json.WriteStartObject();
            json.WriteNull("data");
            json.WriteString("code", identity.ErrorCode);
            json.WriteString("message", identity.ErrorMessage);
            json.WriteBoolean("success", false);
            json.WriteNull("headers");
            if (identity.Failure is { } failure)
            {
                // What SYSTEM$GET_LOGIN_FAILURE_DETAILS tells an administrator for the id in the message.
                json.WriteStartObject("login_failure_details");
                json.WriteString("errorCode", failure.Code);
                json.WriteString("errorName", failure.Name);
                json.WriteString("advice", failure.Advice);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        });
    }

    /// <summary>Finds the pipe of a path for a caller.</summary>
    /// <param name="context">The call.</param>
    /// <param name="caller">Who is asking.</param>
    /// <param name="path">What the URL names.</param>
    /// <param name="create">The call brings a default pipe into being.</param>
    /// <returns>Null if the call has been answered.</returns>
    public async Task<Pipe?> Find(HttpContext context, Identity caller, PipePath path, bool create)
    {
        var catalog = tables.Catalog;
        var database = caller.Role == "PUBLIC" ? null : Catalog.Resolve(path.Database, catalog.Databases);
        if (database is null)
        {
            await Reply.Error(context, 404, "ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED",
                $"Database {path.Database} does not exist or is not authorized for role {caller.Role ?? "(default)"}.");
            return null;
        }
        var schema = Catalog.Resolve(path.Schema, catalog.Schemas.Where(s => s.Database == database).Select(s => s.Schema));
        if (schema is null)
        {
            await Reply.Error(context, 404, "ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED",
                $"Schema {path.Schema} does not exist in {database} or is not authorized.");
            return null;
        }
        var here = catalog.Pipes.Where(p => p.Database == database && p.Schema == schema);
        if (path.IsTable)
        {
            var table = Catalog.Resolve(path.Name, here.Where(p => p.IsDefault).Select(p => p.Table.Name));
            if (table is not null)
                return here.First(p => p.IsDefault && p.Table.Name == table);
            await Reply.Missing(context, "ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED", $"Table {path.Name} does not exist in {database}.{schema} or is not authorized.");
            return null;
        }
        var name = Catalog.Resolve(Catalog.DefaultPipeIdentifier(path.Name), here.Select(p => p.Name));
        var pipe = name is null ? null : here.First(p => p.Name == name);
        if (pipe is not null && (!pipe.IsDefault || create || tables.Of(pipe.Table).WasStreamed(pipe.Name)))
            return pipe;
        await Reply.Missing(context, "ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED", $"Pipe {path.Name} does not exist in {database}.{schema} or is not authorized.");
        return null;
    }

    /// <summary>
    /// Matches what a reader of JSON throws. InvalidOperationException is how it reports half of a surrogate pair in a text.
    /// </summary>
    public static bool IsBadJson(Exception e) => e is JsonException or InvalidOperationException;

    /// <summary>Reads the body as JSON.</summary>
    /// <returns>Null if the body is empty.</returns>
    /// <exception cref="JsonException">The body is not JSON, or longer than <see cref="RowsApi.MaxBody"/> bytes.</exception>
    public static async Task<JsonDocument?> ReadJson(HttpContext context)
    {
        using var buffer = new MemoryStream();
        var block = new byte[16 * 1024];
        for (int read; (read = await context.Request.Body.ReadAsync(block, context.RequestAborted)) > 0;)
        {
            buffer.Write(block, 0, read);
            if (buffer.Length > RowsApi.MaxBody)
                throw new JsonException($"it is longer than {RowsApi.MaxBody} bytes");
        }
        return buffer.Length == 0 ? null : JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
    }

    [LoggerMessage(EventId = 720, Level = LogLevel.Warning, Message = "{Method} {Path} refused with 401: {Code} {Name}. {Advice}")]
    partial void LogRefused(string method, string path, string code, string name, string advice);
}
