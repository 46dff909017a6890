using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The pipe-info endpoint: where a client may upload rows as files, and how it has to encrypt them. Asking also makes a table's default
/// pipe exist.
/// </summary>
sealed class PipeInfoApi(CallGate gate, StreamingTables tables, ServerSecret secret, PipeKeys keys, Faults faults, TimeProvider clock)
{
    /// <summary>POST: tells about a pipe.</summary>
    public async Task Handle(HttpContext context, PipePath path)
    {
        var plan = faults.Take("pipe_info", []);
        if (!await gate.Proceed(context, plan) || await gate.Authenticate(context) is not { } caller)
            return;
        if (!await ReadRequest(context) || await gate.Find(context, caller, path, create: true) is not { } pipe)
            return;
        tables.Of(pipe.Table).EnsureElastic(pipe.Name);
        if (plan.LoseReply)
        {
            context.Abort();
            return;
        }
        var expires = clock.GetUtcNow() + Stage.Lifetime;
        await Reply.Json(context, 200, json =>
        {
            json.WriteStartObject();
            // Two folders, because a client numbers its files from 0 in each.
            WriteLocation(json, "rowset_stage_location", context, pipe, expires);
            WriteLocation(json, "durable_stage_location", context, pipe, expires);
            json.WriteStartObject("encryption_info");
            json.WriteString("pipe_key", Convert.ToBase64String(keys.Key(pipe)));
            json.WriteString("pipe_key_id", PipeKeys.KeyId);
            json.WriteString("diversifier", keys.Diversifier(pipe));
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    void WriteLocation(Utf8JsonWriter json, string name, HttpContext context, Pipe pipe, DateTimeOffset expires)
    {
        var credentials = StageCredentials.Issue(secret, $"{keys.Folder(pipe)}{Guid.NewGuid():N}/", expires);
        json.WriteStartObject(name);
        json.WriteString("location", $"{Stage.Bucket}/{credentials.Folder}");
        json.WriteString("location_type", "S3");
        json.WriteString("region", "us-west-2");
        json.WriteString("storage_endpoint", context.Request.Host.Value);
        json.WriteStartObject("creds");
        json.WriteString("AWS_KEY_ID", credentials.KeyId);
        json.WriteString("AWS_SECRET_KEY", credentials.SecretKey);
        json.WriteString("AWS_TOKEN", credentials.SessionToken);
        json.WriteEndObject();
        json.WriteNumber("expiry_time_ms", expires.ToUnixTimeMilliseconds());
        json.WriteBoolean("use_s3_regional_url", false);
        json.WriteEndObject();
    }

    /// <summary>Reads the request, which may ask for an encryption that there is not.</summary>
    /// <returns>False if the call has been answered.</returns>
    static async Task<bool> ReadRequest(HttpContext context)
    {
        try
        {
            using var body = await CallGate.ReadJson(context);
            if (body is null)
                return true;
            if (body.RootElement.ValueKind != JsonValueKind.Object)
                throw new JsonException("it must be an object");
            if (body.RootElement.TryGetProperty("encryption_version", out var version) && version.ValueKind != JsonValueKind.Null
                && version.GetString() != PipeKeys.EncryptionVersion)
                throw new JsonException($"encryption_version must be {PipeKeys.EncryptionVersion}");
            return true;
        }
        catch (Exception e) when (CallGate.IsBadJson(e))
        {
            await Reply.Error(context, 400, "ERR_INVALID_REQUEST_BODY", $"The body is not the JSON this endpoint takes: {e.Message}");
            return false;
        }
    }
}
