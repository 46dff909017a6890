using System.Globalization;
using System.Text;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What Snowflake has no endpoint for: read the tables back, switch faults on, start over.</summary>
sealed class EmulatorApi(
    EmulatorSettings settings, StreamingTables tables, Stage stage, PublicKeys keys, Faults faults, TablesApi tablesApi,
    FaultsApi faultsApi)
{
    /// <summary>Answers a path below /emulator, and / itself.</summary>
    public async Task Handle(HttpContext context, string[] path)
    {
        if (BrowserGuard.Refusal(context.Request, settings) is { } refusal)
        {
            await Reply.Error(context, 403, "ERR_FOREIGN_REQUEST", refusal);
            return;
        }
        switch (context.Request.Method, path)
        {
            case ("GET" or "HEAD", [""]):
                await Reply.Text(context, 200, Describe(context));
                break;
            case ("GET", ["emulator", "ca.pem"]):
                await Authority(context);
                break;
            case ("GET", ["emulator", "tables"]):
                await tablesApi.Tables(context);
                break;
            case ("GET", ["emulator", "tables", var name, "rows"]):
                await tablesApi.Rows(context, name);
                break;
            case ("GET", ["emulator", "tables", var name, "errors"]):
                await tablesApi.Errors(context, name);
                break;
            case ("GET", ["emulator", "query"]):
                await tablesApi.Query(context);
                break;
            case ("POST", ["emulator", "reset"]):
                foreach (var store in tables.All)
                    store.Reset();
                stage.Clear();
                faults.Clear(null);
                await Reply.Text(context, 200, "{}", "application/json");
                break;
            case ("GET", ["emulator", "faults"]):
                await faultsApi.List(context);
                break;
            case ("POST", ["emulator", "faults"]):
                await faultsApi.Add(context);
                break;
            case ("DELETE", ["emulator", "faults"]):
                await faultsApi.Clear(context, null);
                break;
            case ("DELETE", ["emulator", "faults", var id]):
                await faultsApi.Clear(context, id);
                break;
            default:
                await Reply.Error(context, 404, "ERR_NOT_FOUND", $"There is no {context.Request.Method} {context.Request.Path} here; GET / lists what there is.");
                break;
        }
    }

    /// <summary>The certificate that a client has to trust for HTTPS; it is no secret.</summary>
    async Task Authority(HttpContext context)
    {
        if (settings.HttpsPort is null)
            await Reply.Error(context, 404, "NO_HTTPS", "HTTPS is off; EMULATOR_HTTPS_PORT switches it on.");
        else
            await Reply.Text(context, 200, await File.ReadAllTextAsync(EmulatorCertificate.AuthorityPath(settings)), "application/x-pem-file");
    }

    string Describe(HttpContext context)
    {
        var here = $"{context.Request.Scheme}://{context.Request.Host}";
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            This is a local stand-in for Snowflake's Snowpipe Streaming v2 endpoint. Nothing leaves this machine.
            A client streams to it with SNOWFLAKE_URL={here}

            {keys.Describe()}

            Tables


            """);
        foreach (var store in tables.All)
        {
            var (rows, errors) = store.Count();
            var buffered = store.Channels().Sum(c => c.UncommittedRows);
            text.Append(CultureInfo.InvariantCulture, $"  {store.Table.FullName}: {rows} rows, {errors} rejected, {buffered} not committed yet, {store.Channels().Count} channels\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"""

            Pipes

              {string.Join("\n  ", tables.Catalog.Pipes.Where(p => !p.IsDefault).Select(p => $"{p.Database}.{p.Schema}.{p.Name} -> {p.Table.Name}"))}

            Look

              curl '{here}/emulator/tables'                                    tables, channels, committed offset tokens (JSON)
              curl '{here}/emulator/tables/NAME/rows?after=0&limit=10'         rows as columns (NDJSON); after = row number; raw=1 = as sent
              curl '{here}/emulator/tables/NAME/errors'                        rejected rows (NDJSON)
              curl -G '{here}/emulator/query' --data-urlencode 'sql=SELECT …'  a query in Snowflake's SQL (JSON); ./up sql FILE draws tables
              curl -X POST '{here}/emulator/reset'                             forget all rows, channels and faults
              curl '{here}/emulator/ca.pem'                                    the certificate to trust for HTTPS (SSL_CERT_FILE)

            Break

              curl -X POST '{here}/emulator/faults?kind=status&endpoint=append&status=503&times=3'
              curl -X POST '{here}/emulator/faults?kind=lost_reply&endpoint=append&channel=TH*'
              curl '{here}/emulator/faults'        curl -X DELETE '{here}/emulator/faults'
              kinds: {string.Join(", ", Faults.Kinds)}
              endpoints: {string.Join(", ", Faults.Endpoints)}; also channel, times, seconds, skip, code, message, body, retry_after, delay, skew, host

            """);
        return text.ToString();
    }
}
