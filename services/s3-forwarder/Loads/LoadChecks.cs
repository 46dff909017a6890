using System.Text.Json;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The steps of <c>check</c> about Snowpipe's load history.</summary>
static class LoadChecks
{
    public static IEnumerable<CheckStep> Steps(LoadOptions options, LoadClient client, RunningService service) =>
        [
            new CheckStep("snowpipe history", stop => HistoryAsync(options, client, stop)),
            new CheckStep("snowpipe loads", stop => LoadsAsync(options, service, stop)),
        ];

    static async Task<CheckResult> HistoryAsync(LoadOptions options, LoadClient client, CancellationToken stop)
    {
        try
        {
            var now = client.Clock.UtcNow;
            var page = await client.ScanAsync(now - TimeSpan.FromMinutes(10), null, stop);
            var other = page
                .Files.Select(file => file.StageLocation)
                .FirstOrDefault(stage => stage.Length > 0 && stage != options.StageUrl);
            return other is null
                ? CheckResult.Ok($"{options.FullPipe} answers; it finished {page.Files.Count} files in the last 10 minutes")
                : CheckResult.Warning(
                    $"{options.FullPipe} loads from {other}",
                    $"Objects are expected below {options.StageUrl}, so 'loads refresh' would name paths that the stage does not have.",
                    $"Set SNOWPIPE_STAGE_URL={other}, or correct the stage (DESC STAGE)."
                );
        }
        catch (SnowflakeException e)
        {
            var explanation = LoadAdvice.Explain(e.Error, options);
            return CheckResult.Failed(e.Error.Describe(), explanation.Cause, explanation.Fix);
        }
    }

    static async Task<CheckResult> LoadsAsync(LoadOptions options, RunningService service, CancellationToken stop)
    {
        if (await service.StatusAsync(stop) is not { } status || !status.TryGetProperty("loads", out var loads))
            return CheckResult.Ok("not known: the service does not answer");
        var (missed, failed, partial, pending) = (Number("missed"), Number("failed"), Number("partially_loaded"), Number("pending"));
        if (missed > 0)
        {
            return CheckResult.Warning(
                $"{missed} uploaded objects were never seen by {options.FullPipe}",
                "The bucket's notification was lost or does not point at the pipe's queue, or the pipe is paused.",
                "Run s3-forwarder loads refresh; it loads no object twice. SELECT SYSTEM$PIPE_STATUS tells whether the pipe runs."
            );
        }
        return failed + partial > 0
            ? CheckResult.Warning(
                $"{failed} objects failed to load and {partial} were loaded in part since the start"
                    + (
                        loads.TryGetProperty("last_unloaded", out var last)
                            ? $"; the last: {Text(last, "file")}: {Text(last, "error")}"
                            : ""
                    ),
                "A record does not fit the table or the file format.",
                "Run 'dead-letters list'; each letter says how to load its file."
            )
            : CheckResult.Ok($"{Number("loaded")} objects loaded since the start, {pending} pending");

        long Number(string name) => loads.TryGetProperty(name, out var value) && value.TryGetInt64(out var number) ? number : 0;
    }

    static string Text(JsonElement json, string name) => SnowflakeAnswer.Text(json, name);
}
