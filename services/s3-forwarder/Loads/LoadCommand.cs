using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Spectre.Console;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.S3Forwarder;

/// <summary>The verb <c>loads</c>: shows objects that are not loaded yet, and loads those that Snowpipe has missed.</summary>
static class LoadCommand
{
    /// <summary>Beyond this age a pipe may have forgotten that it has loaded a file, and would load it again.</summary>
    static readonly TimeSpan oldest = TimeSpan.FromDays(13);

    /// <param name="options">Reads the settings; called only by code that needs them.</param>
    public static Command Create(Func<LoadOptions?> options)
    {
        var directory = DataDirectory.FromEnvironment();
        var json = new Option<bool>("--json") { Description = "Print JSON for machines." };
        var all = new Option<bool>("--all-pending") { Description = "Also objects that are not late yet." };
        var status = new Command("status", "Show the objects whose load is not known yet, and the newest that failed.") { json };
        status.SetAction(result =>
        {
            var output = result.InvocationConfiguration.Output;
            return ReadOrSay(directory, output) is { } list
                ? Status(list, result.GetValue(json), TimeProvider.System.GetUtcNow(), output)
                : ExitCodes.Failed;
        });
        var refresh = new Command(
            "refresh",
            "Ask Snowpipe to load the objects that it has missed. It skips objects that it has read in the last 14 days."
        )
        {
            json,
            all,
        };
        refresh.SetAction(
            async (result, stop) =>
            {
                var output = result.InvocationConfiguration.Output;
                if (options() is not { } loaded)
                {
                    await output.WriteLineAsync(
                        "Loads are not monitored, so no list is kept: set SNOWPIPE_MONITOR=true (docs/s3-snowpipe.md)."
                    );
                    return ExitCodes.Failed;
                }
                if (ReadOrSay(directory, output) is null)
                    return ExitCodes.Failed;
                using var client = new LoadClient(loaded, TimeProvider.System, NullLogger<LoadClient>.Instance);
                var file = new LoadListFile(directory);
                return await RefreshAsync(loaded, client, file, (result.GetValue(all), result.GetValue(json)), output, stop);
            }
        );
        return new Command("loads", "Show whether Snowpipe loaded the uploaded objects (SNOWPIPE_MONITOR).") { status, refresh };
    }

    static LoadList? ReadOrSay(string directory, TextWriter output)
    {
        var file = new LoadListFile(directory);
        try
        {
            return file.Read();
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            output.WriteLine($"{file.Path} cannot be read ({Settings.Reason(e)}); run this in the service's container.");
            return null;
        }
    }

    static int Status(LoadList list, bool json, DateTimeOffset now, TextWriter output)
    {
        if (json)
        {
            output.WriteLine(Json(writer => Write(writer, list, now)));
            return ExitCodes.Ok;
        }
        var console = CheckList.ConsoleFor(output, isTerminal: !Console.IsOutputRedirected);
        var table = new Table().Border(TableBorder.Rounded).AddColumns("object", "rows", "uploaded", "state");
        foreach (var file in list.Files.OrderBy(file => file.UploadedAt))
            table.AddRow(new Text(file.Address), new Text($"{file.Rows}"), new Text(Time(file.UploadedAt)), new Text(StateOf(file)));
        foreach (var file in list.Unloaded)
        {
            table.AddRow(
                new Text(file.Address),
                new Text($"{file.RowsInserted} of {file.Rows}"),
                new Text(Time(file.At)),
                new Text($"{LoadFigures.NameOf(file.State)}: {file.FirstError}")
            );
        }
        if (table.Rows.Count == 0)
            output.WriteLine("No object awaits its load, and none has failed.");
        else
            console.Write(table);
        var missed = list.Files.Count(file => file.IsMissed);
        if (missed > 0)
            output.WriteLine($"Snowpipe has not seen {missed} objects: run 's3-forwarder loads refresh'.");
        return ExitCodes.Ok;
    }

    /// <returns>The exit code.</returns>
    internal static async Task<int> RefreshAsync(
        LoadOptions options,
        LoadClient client,
        LoadListFile file,
        (bool AllPending, bool Json) how,
        TextWriter output,
        CancellationToken stop
    )
    {
        var now = client.Clock.UtcNow;
        var chosen = file.Read().Files.Where(watched => how.AllPending || watched.IsMissed).ToList();
        // Left out here, so that they are not sent in vain, or loaded twice.
        var old = chosen.RemoveAll(watched => now - watched.UploadedAt > oldest);
        var foreign = chosen.RemoveAll(watched => !watched.Address.StartsWith(options.StageUrl, StringComparison.Ordinal));
        var (sent, unmatched) = (0, new List<string>());
        SnowflakeException? failure = null;
        foreach (var some in chosen.Chunk(LoadClient.MostFiles))
        {
            try
            {
                unmatched.AddRange(await client.InsertAsync([.. some.Select(watched => watched.Address[options.StageUrl.Length..])], stop));
            }
            catch (SnowflakeException e)
            {
                failure = e;
                break;
            }
            sent += some.Length;
            await MarkAsync(file, some, client.Clock.UtcNow);
        }
        if (how.Json)
        {
            await output.WriteLineAsync(
                Json(writer =>
                {
                    writer.WriteNumber("sent"u8, sent);
                    writer.WriteNumber("too_old"u8, old);
                    writer.WriteNumber("outside_stage"u8, foreign);
                    writer.WriteNumber("unmatched"u8, unmatched.Count);
                    writer.WriteString("problem"u8, failure?.Error.Describe());
                })
            );
        }
        else
        {
            await PrintAsync(options, (sent, old, foreign, unmatched), failure, output);
        }
        return failure is null && old + foreign + unmatched.Count == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }

    static Task<LoadList> MarkAsync(LoadListFile file, IEnumerable<WatchedFile> sent, DateTimeOffset now) =>
        file.UpdateAsync(list =>
        {
            foreach (var watched in sent)
            {
                // The service may have settled the file since.
                if (list.Find(watched.Address) is { } current)
                    list.Put(current with { IsMissed = false, RefreshedAt = now });
            }
            return true;
        });

    static async Task PrintAsync(
        LoadOptions options,
        (int Sent, int Old, int Foreign, List<string> Unmatched) figures,
        SnowflakeException? failure,
        TextWriter output
    )
    {
        if (failure is not null)
        {
            var explanation = LoadAdvice.Explain(failure.Error, options);
            await output.WriteLineAsync($"{failure.Error.Describe()}\ncause: {explanation.Cause}\nfix:   {explanation.Fix}");
        }
        if (figures.Sent > 0)
            await output.WriteLineAsync(
                $"{figures.Sent} objects were named to {options.FullPipe}. It loads those that it has not read yet."
            );
        else if (failure is null && figures.Old + figures.Foreign == 0)
            await output.WriteLineAsync("Nothing to refresh: no object is missed. --all-pending includes those that are not late yet.");
        if (figures.Old > 0)
        {
            await output.WriteLineAsync(
                $"{figures.Old} objects are older than {oldest.TotalDays:0} days: the pipe may have forgotten them and load them again. "
                    + "Look for their FILE_NAME in the table, then load them with a COPY (docs/s3-snowpipe.md)."
            );
        }
        if (figures.Foreign > 0)
            await output.WriteLineAsync($"{figures.Foreign} objects do not lie below {options.StageUrl} (SNOWPIPE_STAGE_URL); left alone.");
        foreach (var path in figures.Unmatched)
            await output.WriteLineAsync($"The PATTERN of {options.FullPipe} does not match {path}; it is not loaded.");
    }

    static void Write(Utf8JsonWriter json, LoadList list, DateTimeOffset now)
    {
        json.WriteNumber("pending"u8, list.Files.Count);
        json.WriteNumber("missed"u8, list.Files.Count(file => file.IsMissed));
        json.WriteStartArray("files"u8);
        foreach (var file in list.Files)
        {
            json.WriteStartObject();
            json.WriteString("file"u8, file.Address);
            json.WriteNumber("rows"u8, file.Rows);
            json.WriteString("uploaded_at"u8, file.UploadedAt);
            json.WriteNumber("age_seconds"u8, Math.Round(Math.Max(0, (now - file.UploadedAt).TotalSeconds)));
            json.WriteBoolean("missed"u8, file.IsMissed);
            if (file.RefreshedAt is { } refreshedAt)
                json.WriteString("refreshed_at"u8, refreshedAt);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("unloaded"u8);
        foreach (var file in list.Unloaded)
        {
            json.WriteStartObject();
            LoadFigures.Write(json, file);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static string StateOf(WatchedFile file) =>
        file.IsMissed ? "missed"
        : file.RefreshedAt is { } at ? $"refreshed {Time(at)}"
        : "pending";

    static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    static string Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
