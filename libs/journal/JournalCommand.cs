using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Spectre.Console;

namespace ThermalStreaming.Journal;

/// <summary>
/// The verb <c>journal</c>. <c>inspect</c>, <c>verify</c> and <c>export</c> only read files and take no lock, so they work while the
/// service runs; <c>recover</c> needs the service stopped.
/// </summary>
public static class JournalCommand
{
    const int NothingWrong = 0;
    const int DamageFound = 1;

    /// <param name="defaultDirectory">Where to look when no directory is given; all journals below it are taken.</param>
    /// <param name="format">Turns one record's payload into lines of JSON, one per reading.</param>
    public static Command Create(string defaultDirectory, Func<ReadOnlyMemory<byte>, IEnumerable<string>> format)
    {
        var directory = new Argument<DirectoryInfo>("directory")
        {
            Description = "A journal, or a directory with journals below it.",
            DefaultValueFactory = _ => new DirectoryInfo(defaultDirectory),
        };
        var json = new Option<bool>("--json") { Description = "Print one JSON document instead of a table." };
        var from = new Option<long?>("--from") { Description = "First stream offset to print." };
        var to = new Option<long?>("--to") { Description = "Stream offset to stop before." };
        var output = new Option<FileInfo?>("--output") { Description = "File to write instead of standard output." };

        var inspect = new Command("inspect", "Show each journal's offsets, backlog and size.") { directory, json };
        inspect.SetAction(result => Report(result, result.GetValue(directory)!, result.GetValue(json), isVerify: false));
        var verify = new Command("verify", "Check every byte of each journal. Exit code 1 if anything is damaged.") { directory, json };
        verify.SetAction(result => Report(result, result.GetValue(directory)!, result.GetValue(json), isVerify: true));
        var export = new Command("export", "Print the stored readings as lines of JSON. Exit code 1 if some could not be read.")
        {
            directory,
            from,
            to,
            output,
        };
        export.SetAction(result =>
            Export(
                result,
                result.GetValue(directory)!,
                result.GetValue(from) ?? 0,
                result.GetValue(to) ?? long.MaxValue,
                result.GetValue(output),
                format
            )
        );
        return new Command("journal", "Inspect the journal: show its state, check it for damage, export or recover its readings.")
        {
            inspect,
            verify,
            export,
            JournalRecoverCommand.Create(directory, json),
        };
    }

    static int Report(ParseResult result, DirectoryInfo root, bool json, bool isVerify)
    {
        if (!TryFind(result, root, out var journals))
            return DamageFound;
        foreach (var journal in journals)
        {
            foreach (var _ in journal.Read())
            {
                // Reading checks and counts.
            }
        }

        var output = result.InvocationConfiguration.Output;
        if (json)
            output.WriteLine(ToJson(journals));
        else
            WriteTable(output, journals);
        return isVerify && journals.Exists(journal => journal.Problems.Count > 0) ? DamageFound : NothingWrong;
    }

    static int Export(
        ParseResult result,
        DirectoryInfo root,
        long from,
        long to,
        FileInfo? file,
        Func<ReadOnlyMemory<byte>, IEnumerable<string>> format
    )
    {
        if (!TryFind(result, root, out var journals))
            return DamageFound;
        var error = result.InvocationConfiguration.Error;
        var failed = false;
        StreamWriter? opened = null;
        try
        {
            opened = file?.CreateText();
            var output = opened ?? result.InvocationConfiguration.Output;
            foreach (var journal in journals)
            {
                foreach (var record in journal.Read())
                {
                    if (record.Offset >= to || record.Offset + record.Count <= from)
                        continue;
                    try
                    {
                        WriteLines(output, record, from, to, format);
                    }
                    catch (Exception e) when (e is not IOException)
                    {
                        // The checksum is right, so only this record's content cannot be shown. The others can.
                        failed = true;
                        error.WriteLine($"{journal.Location}: the record at offset {record.Offset} cannot be shown: {e.Message}");
                    }
                }

                failed |= journal.Problems.Count > 0;
                foreach (var problem in journal.Problems)
                    error.WriteLine($"{journal.Location}: {problem}");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"export: {e.Message}");
            failed = true;
        }
        finally
        {
            opened?.Dispose();
        }

        return failed ? DamageFound : NothingWrong;
    }

    static void WriteLines(
        TextWriter output,
        InspectedRecord record,
        long from,
        long to,
        Func<ReadOnlyMemory<byte>, IEnumerable<string>> format
    )
    {
        var lines = format(record.Payload).ToList();
        for (var i = 0; i < lines.Count; i++)
        {
            // If each reading has its own line, the bounds are exact; otherwise whole records count.
            if (lines.Count != record.Count || (record.Offset + i >= from && record.Offset + i < to))
                output.WriteLine(lines[i]);
        }
    }

    static bool TryFind(ParseResult result, DirectoryInfo root, out List<JournalInspection> journals)
    {
        journals = [];
        try
        {
            if (root.Exists)
                journals = JournalInspection.Find(root.FullName).ConvertAll(directory => new JournalInspection(directory));
            if (journals.Count > 0)
                return true;
            result.InvocationConfiguration.Error.WriteLine(
                $"There is no journal in or below {root.FullName}. Give its directory as an argument, or start the service once to make "
                    + "one."
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            result.InvocationConfiguration.Error.WriteLine($"{root.FullName} cannot be read: {e.Message}");
        }

        return false;
    }

    static void WriteTable(TextWriter output, List<JournalInspection> journals)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (!ReferenceEquals(output, Console.Out) || Console.IsOutputRedirected)
            console.Profile.Width = 240; // A file or a pipe has no width; do not break its lines.
        var table = new Table()
            .Border(TableBorder.Simple)
            .AddColumns(
                "Journal",
                "Epoch",
                "First",
                "Committed",
                "Next",
                "Records",
                "Backlog",
                "Oldest undelivered",
                "Bytes",
                "Segments",
                "Problems"
            );
        foreach (var journal in journals)
        {
            table.AddRow(
                Markup.Escape(journal.Location),
                EpochOf(journal) ?? "?",
                Number(journal.First),
                Number(journal.Committed),
                Number(journal.Next),
                Number(journal.Records),
                Number(journal.Backlog),
                Time(journal) ?? "",
                Number(journal.Bytes),
                Number(journal.Segments),
                Number(journal.Problems.Count)
            );
        }

        console.Write(table);
        foreach (var journal in journals)
        {
            foreach (var problem in journal.Problems)
                output.WriteLine($"{journal.Location}: {problem}");
            if (journal.UnfinishedBytes > 0)
                output.WriteLine($"{journal.Location}: {journal.UnfinishedBytes} bytes of an append that is not finished (no damage)");
        }
    }

    static string ToJson(List<JournalInspection> journals)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var journal in journals)
            {
                json.WriteStartObject();
                json.WriteString("directory", journal.Location);
                json.WriteString("epoch", EpochOf(journal));
                json.WriteNumber("first_offset", journal.First);
                json.WriteNumber("committed_offset", journal.Committed);
                json.WriteNumber("next_offset", journal.Next);
                json.WriteNumber("records", journal.Records);
                json.WriteNumber("readings", journal.Readings);
                json.WriteNumber("backlog_readings", journal.Backlog);
                json.WriteString("oldest_uncommitted", Time(journal));
                json.WriteNumber("bytes", journal.Bytes);
                json.WriteNumber("segments", journal.Segments);
                json.WriteNumber("unfinished_bytes", journal.UnfinishedBytes);
                json.WriteNumber("quarantined_files", journal.QuarantinedFiles);
                json.WriteNumber("quarantined_bytes", journal.QuarantinedBytes);
                json.WriteStartArray("problems");
                foreach (var problem in journal.Problems)
                    json.WriteStringValue(problem);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    static string? EpochOf(JournalInspection journal) => journal.Epoch is { } epoch ? EpochFile.Text(epoch) : null;

    static string? Time(JournalInspection journal) =>
        journal.OldestUncommitted?.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
