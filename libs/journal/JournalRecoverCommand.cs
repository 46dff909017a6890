using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Spectre.Console;

namespace ThermalStreaming.Journal;

/// <summary>The verb <c>journal recover</c>.</summary>
static class JournalRecoverCommand
{
    public static Command Create(Argument<DirectoryInfo> directory, Option<bool> json)
    {
        var recover = new Command(
            "recover",
            "Put the undamaged readings of quarantine/ back into the journal, each once; the service delivers them when it is "
                + "started. Stop the service first. Exit code 1 if a journal is in use, or a file could not be processed."
        )
        {
            directory,
            json,
        };
        recover.SetAction(result => Run(result.GetValue(directory)!.FullName, result.GetValue(json), result.InvocationConfiguration));
        return recover;
    }

    static int Run(string root, bool json, InvocationConfiguration console)
    {
        List<(string Journal, List<RecoveredFile> Files, string? Problem)> results = [];
        try
        {
            var journals = Directory.Exists(root) ? JournalInspection.Find(root) : [];
            if (journals.Count == 0)
            {
                console.Error.WriteLine($"There is no journal in or below {root}. Give its directory as an argument.");
                return 1;
            }

            foreach (var journal in journals)
                results.Add(Recover(journal));
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            console.Error.WriteLine($"{root} cannot be read: {e.Message}");
            return 1;
        }

        if (json)
            console.Output.WriteLine(ToJson(results));
        else
            Write(console.Output, results);
        foreach (var (_, _, problem) in results.Where(result => result.Problem is not null))
            console.Error.WriteLine(problem);
        return results.Exists(result => result.Problem is not null || result.Files.Exists(file => file.IsProblem)) ? 1 : 0;
    }

    static (string, List<RecoveredFile>, string?) Recover(string journal)
    {
        try
        {
            return (
                journal,
                JournalRecover.HasWork(journal) ? new JournalRecover(journal, TimeProvider.System, new Disk()).Run() : [],
                null
            );
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            return (
                journal,
                [],
                e is JournalLockedException ? e.Message : $"{journal}: {e.Message}. What was recovered stays; run this again."
            );
        }
    }

    static void Write(TextWriter output, List<(string Journal, List<RecoveredFile> Files, string? Problem)> results)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("Journal", "File", "Records", "Readings", "Known", "Outcome");
        foreach (var (journal, files, _) in results)
        {
            foreach (var file in files)
            {
                table.AddRow(
                    Markup.Escape(journal),
                    Markup.Escape(file.File),
                    Number(file.Records),
                    Number(file.Readings),
                    Number(file.Known),
                    Markup.Escape(file.Outcome)
                );
            }
        }

        if (table.Rows.Count > 0)
        {
            var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
            if (!ReferenceEquals(output, Console.Out) || Console.IsOutputRedirected)
                console.Profile.Width = 240;
            console.Write(table);
        }

        var readings = results.Sum(result => result.Files.Sum(file => file.Readings));
        output.WriteLine(
            readings > 0
                ? $"{Number(readings)} readings were recovered; start the service, and it delivers them."
                : "There was nothing to recover."
        );
    }

    static string ToJson(List<(string Journal, List<RecoveredFile> Files, string? Problem)> results)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var (journal, files, problem) in results)
            {
                json.WriteStartObject();
                json.WriteString("directory", journal);
                json.WriteString("problem", problem);
                json.WriteNumber("readings", files.Sum(file => file.Readings));
                json.WriteStartArray("files");
                foreach (var file in files)
                {
                    json.WriteStartObject();
                    json.WriteString("file", file.File);
                    json.WriteString("outcome", file.Outcome);
                    json.WriteNumber("records", file.Records);
                    json.WriteNumber("readings", file.Readings);
                    json.WriteNumber("known_records", file.Known);
                    json.WriteBoolean("problem", file.IsProblem);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
