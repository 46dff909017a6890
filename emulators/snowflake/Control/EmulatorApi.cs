using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Describes the emulator as a whole, and resets it. Safe for concurrent use.</summary>
sealed class EmulatorApi(EmulatorSettings settings, StreamingTables tables, Stage stage, PublicKeys keys, Faults faults)
{
    /// <summary>GET /: lists what can be inspected and broken.</summary>
    public Task Overview(HttpContext call) => Reply.Text(call, 200, Describe($"{call.Request.Scheme}://{call.Request.Host}"));

    /// <summary>GET: the certificate that a client must trust for HTTPS. It is not a secret.</summary>
    public async Task Authority(HttpContext call)
    {
        if (settings.HttpsPort is null)
            throw new RefusedException(404, "NO_HTTPS", "HTTPS is off. EMULATOR_HTTPS_PORT switches it on.");
        var pem = await File.ReadAllTextAsync(EmulatorCertificate.AuthorityPath(settings), call.RequestAborted);
        await Reply.Text(call, 200, pem, "application/x-pem-file");
    }

    /// <summary>POST: removes all rows, channels, uploaded files and faults.</summary>
    public Task Reset(HttpContext call)
    {
        foreach (var store in tables.All)
            store.Reset();
        stage.Clear();
        faults.Clear(null);
        return Reply.Json(call, 200, new JsonObject());
    }

    string Describe(string here)
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"""
            This is a local stand-in for Snowflake's Snowpipe Streaming v2 endpoint. Nothing leaves this machine.
            A client streams to it with SNOWFLAKE_URL={here}

            {keys.Describe()}

            Tables


            """
        );
        foreach (var store in tables.All)
        {
            var (rows, errors) = store.Count();
            var channels = store.Channels();
            text.Append(
                CultureInfo.InvariantCulture,
                $"  {store.Table.FullName}: {rows} rows, {errors} rejected, "
                    + $"{channels.Sum(c => c.UncommittedRows)} not committed yet, {channels.Count} channels\n"
            );
        }
        var pipes = tables
            .Catalog.Pipes.Where(p => !p.IsDefault)
            .Select(p => $"{p.Database}.{p.Schema}.{p.Name} -> {p.Table.Name}")
            .Concat(tables.Catalog.LoadPipes.Select(p => $"{p.FullName}, from {p.StageLocation} -> {p.Table.Name}{LoadsNow(p)}"));
        text.Append(
            CultureInfo.InvariantCulture,
            $"""

            Pipes

              {string.Join("\n  ", pipes)}

            Inspect

              curl '{here}/emulator/tables'                                    tables, channels, committed offset tokens (JSON)
              curl '{here}/emulator/tables/NAME/rows?after=0&limit=10'         rows as columns (NDJSON); after=row number; raw=1 as sent
              curl '{here}/emulator/tables/NAME/errors'                        rejected rows (NDJSON)
              curl '{here}/emulator/loads'                                     files that pipes have loaded, or could not (JSON)
              curl -G '{here}/emulator/query' --data-urlencode 'sql=SELECT …'  a query in Snowflake's SQL (JSON)
              ./up sql FILE                                                    queries of a file, drawn as tables
              curl -X POST '{here}/emulator/reset'                             remove all rows, channels and faults
              curl '{here}/emulator/ca.pem'                                    the certificate to trust for HTTPS (SSL_CERT_FILE)

            Inject faults

              curl -X POST '{here}/emulator/faults?kind=status&endpoint=append&status=503&times=3'
              curl -X POST '{here}/emulator/faults?kind=lost_reply&endpoint=append&channel=TH*'
              curl '{here}/emulator/faults'        curl -X DELETE '{here}/emulator/faults'
              kinds: {string.Join(", ", Faults.Kinds)}
              endpoints: {string.Join(", ", Faults.Endpoints)}
              {string.Join(", ", LoadStep.All)} are the steps of loading a file; channel is then a pattern of the file's key
              also: channel, times, seconds, skip, code, message, body, retry_after, delay, skew, host

            """
        );
        return text.ToString();
    }

    string LoadsNow(LoadPipe pipe) => settings.Loader is null && pipe.AutoIngest ? " (off: SQS_QUEUE is not set)" : "";
}
