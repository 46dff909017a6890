using System.Text.Json;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The pipe-info endpoint: where a client may upload rows as files, and how it must encrypt them. A call also creates a table's default
/// pipe. Safe for concurrent use.
/// </summary>
sealed class PipeInfoApi(StreamingTables tables, ServerSecret secret, PipeKeys keys, TimeProvider clock)
{
    /// <summary>POST: describes a pipe.</summary>
    public async Task Describe(HttpContext call)
    {
        await JsonBody.ReadAsync(call, CheckRequest);
        var pipe = call.Pipe();
        tables.Of(pipe.Table).EnsureElastic(pipe.Name);
        var expires = clock.GetUtcNow() + Stage.Lifetime;
        await Reply.Json(
            call,
            200,
            new JsonObject
            {
                // Two folders, because a client numbers its files from 0 in each.
                ["rowset_stage_location"] = NewLocation(call, expires),
                ["durable_stage_location"] = NewLocation(call, expires),
                ["encryption_info"] = new JsonObject
                {
                    ["pipe_key"] = Convert.ToBase64String(keys.Key(pipe)),
                    ["pipe_key_id"] = PipeKeys.KeyId,
                    ["diversifier"] = keys.Diversifier(pipe),
                },
            }
        );
    }

    JsonObject NewLocation(HttpContext call, DateTimeOffset expires)
    {
        var credentials = StageCredentials.Issue(secret, $"{keys.Folder(call.Pipe())}{Guid.NewGuid():N}/", expires);
        return new JsonObject
        {
            ["location"] = $"{Stage.Bucket}/{credentials.Folder}",
            ["location_type"] = "S3",
            ["region"] = "us-west-2",
            ["storage_endpoint"] = call.Request.Host.Value,
            ["creds"] = new JsonObject
            {
                ["AWS_KEY_ID"] = credentials.KeyId,
                ["AWS_SECRET_KEY"] = credentials.SecretKey,
                ["AWS_TOKEN"] = credentials.SessionToken,
            },
            ["expiry_time_ms"] = expires.ToUnixTimeMilliseconds(),
            ["use_s3_regional_url"] = false,
        };
    }

    /// <summary>The optional request may name an encryption, of which there is one.</summary>
    static bool CheckRequest(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Undefined)
            return true;
        JsonBody.RequireObject(json);
        return JsonBody.OptionalText(json, "encryption_version") is null or PipeKeys.EncryptionVersion
            ? true
            : throw new JsonException($"encryption_version must be {PipeKeys.EncryptionVersion}");
    }
}
