namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Routes the paths of Snowpipe Streaming v2 to the classes that answer them.</summary>
sealed class StreamingApi(SignInApi signIn, PipeInfoApi pipeInfo, ChannelApi channels, RowsApi rows, FileBufferApi files)
{
    const string BulkStatus = ":bulk-channel-status";
    const string PipeInfo = ":pipe-info";

    /// <summary>Answers a path below /v2/streaming, /oauth or /telemetry; the segments are decoded.</summary>
    public async Task Handle(HttpContext context, string[] path)
    {
        switch (path)
        {
            case ["oauth", "token"]:
                if (await CallGate.Allowed(context, "POST"))
                    await signIn.Token(context);
                break;
            case ["telemetry", "send", "sessionless"]:
                if (await CallGate.Allowed(context, "POST"))
                    await signIn.Telemetry(context);
                break;
            case ["v2", "streaming", "hostname"]:
                if (await CallGate.Allowed(context, "GET"))
                    await signIn.Hostname(context);
                break;
            case ["v2", "streaming", "databases", var db, "schemas", var schema, "pipes", var pipe]
                when pipe.EndsWith(BulkStatus, StringComparison.Ordinal):
                if (await CallGate.Allowed(context, "POST"))
                    await channels.BulkStatus(context, new PipePath(db, schema, pipe[..^BulkStatus.Length]));
                break;
            case ["v2", "streaming", "databases", var db, "schemas", var schema, "pipes", var pipe]
                when pipe.EndsWith(PipeInfo, StringComparison.Ordinal):
                if (await CallGate.Allowed(context, "POST"))
                    await pipeInfo.Handle(context, new PipePath(db, schema, pipe[..^PipeInfo.Length]));
                break;
            case ["v2", "streaming", "databases", var db, "schemas", var schema, "pipes", var pipe, "channels", var channel]:
                if (await CallGate.Allowed(context, "PUT", "DELETE"))
                {
                    if (HttpMethods.IsPut(context.Request.Method))
                        await channels.Open(context, new PipePath(db, schema, pipe), channel);
                    else
                        await channels.Drop(context, new PipePath(db, schema, pipe), channel);
                }
                break;
            case ["v2", "streaming", "data", "databases", var db, "schemas", var schema, "pipes", var pipe, "channels", var channel, "rows"]:
                if (await CallGate.Allowed(context, "POST"))
                    await rows.Append(context, new PipePath(db, schema, pipe), channel);
                break;
            case ["v2", "streaming", "data", "databases", var db, "schemas", var schema, "pipes", var pipe, "channels", var channel, "filebuffer"]:
                if (await CallGate.Allowed(context, "POST"))
                    await files.Append(context, new PipePath(db, schema, pipe), channel);
                break;
            case ["v2", "streaming", "data", "databases", var db, "schemas", var schema, "tables", var table, "rows"]:
                if (await CallGate.Allowed(context, "POST"))
                    await rows.Append(context, new PipePath(db, schema, table, IsTable: true), TableStore.ElasticChannel);
                break;
            default:
                await Reply.Error(context, 404, "ERR_NOT_FOUND", $"There is no {context.Request.Path} here.");
                break;
        }
    }
}
