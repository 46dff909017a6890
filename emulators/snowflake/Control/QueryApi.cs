using System.Diagnostics;
using System.Text;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Answers queries by running the verb <c>sql</c> in a separate process. Safe for concurrent use; queries take turns.</summary>
sealed class QueryApi(EmulatorSettings settings) : IDisposable
{
    // For starting the process and copying the rows committed since the last query.
    static readonly TimeSpan Overhead = TimeSpan.FromSeconds(30);

    readonly SemaphoreSlim turn = new(1);

    /// <summary>GET with <c>sql</c>: one query.</summary>
    public async Task Query(HttpContext call)
    {
        var sql = call.Request.Query["sql"].ToString();
        if (sql.Length == 0)
        {
            throw new RefusedException(
                400,
                "NO_SQL",
                "Send the query as the parameter sql: curl -G --data-urlencode 'sql=SELECT 1' .../emulator/query"
            );
        }
        await turn.WaitAsync(call.RequestAborted);
        try
        {
            var (exit, output, error) = await RunAsync(sql, call.RequestAborted);
            if (exit is null)
            {
                throw new RefusedException(
                    408,
                    "QUERY_TIMEOUT",
                    $"The query took longer than "
                        + $"{(QueryLimits.Time + Overhead).TotalSeconds:0} s and was stopped. Ask for less, or try again."
                );
            }
            if (exit != 0)
                throw new RefusedException(400, "QUERY_FAILED", error.Trim());
            await Reply.Text(call, 200, output, "application/json");
        }
        finally
        {
            turn.Release();
        }
    }

    async Task<(int? Exit, string Output, string Error)> RunAsync(string sql, CancellationToken aborted)
    {
        var library = Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.SnowflakeEmulator.dll");
        var start = new ProcessStartInfo(File.Exists(library) ? "dotnet" : Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        if (File.Exists(library))
            start.ArgumentList.Add(library);
        foreach (var argument in (string[])["sql", "--json", "--read-only"])
            start.ArgumentList.Add(argument);
        start.Environment["EMULATOR_DATA"] = settings.DataDirectory;
        start.Environment["EMULATOR_SQL"] = settings.SqlDirectory;
        start.Environment["S3_BUCKET"] = settings.Bucket;
        start.Environment["S3_FILE_PREFIX"] = settings.Prefix;
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x8000000";
        using var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        limit.CancelAfter(QueryLimits.Time + Overhead);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            try
            {
                await process.StandardInput.WriteAsync(sql.AsMemory(), limit.Token);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // The process ended before it had read everything. Its exit code and its error say why.
            }
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            return (null, "", "");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    public void Dispose() => turn.Dispose();
}
