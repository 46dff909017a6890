using System.CommandLine;
using System.Text;
using System.Text.Json;
using Spectre.Console;
using ThermalStreaming.Hosting;
using ThermalStreaming.Mappings;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The verb <c>mappings</c>: shows the ready-made mappings, checks a file, and shows what becomes of a message. It needs no running service
/// and no settings.
/// </summary>
static class MappingCommands
{
    static readonly JsonWriterOptions readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON for machines." };
        var file = new Argument<string>("file") { Description = "A mapping file, or the name of a ready-made mapping." };
        var topic = new Argument<string>("topic") { Description = "The topic of the message." };
        var list = new Command("list", "Show the ready-made mappings and the topics that they take.") { json };
        list.SetAction(parsed => List(parsed.GetValue(json), parsed.InvocationConfiguration.Output));
        var show = new Command("show", "Print a ready-made mapping, to begin one of your own with.") { file };
        show.SetAction(parsed => Show(parsed.GetValue(file)!, parsed.InvocationConfiguration));
        var check = new Command("check", "Check a mapping file; exit code 78 with a line for each problem.") { file, json };
        check.SetAction(parsed => Check(parsed.GetValue(file)!, parsed.GetValue(json), parsed.InvocationConfiguration.Output));
        var attempt = new Command(
            "try",
            "Show the readings that a message makes; its payload comes on standard input. Exit code 1 if it makes none."
        )
        {
            file,
            topic,
            json,
        };
        attempt.SetAction(parsed =>
        {
            using var input = Console.OpenStandardInput();
            using var payload = new MemoryStream();
            input.CopyTo(payload);
            var output = parsed.InvocationConfiguration.Output;
            return Try(parsed.GetValue(file)!, parsed.GetValue(topic)!, payload.ToArray(), parsed.GetValue(json), output);
        });
        return new Command("mappings", "Mappings make readings of the messages of devices with topics and payloads of their own.")
        {
            list,
            show,
            check,
            attempt,
        };
    }

    internal static int List(bool json, TextWriter output)
    {
        var mappings = ReadyMade.Names.SelectMany(name => Load(name).Mappings).ToList();
        if (json)
        {
            return Write(
                output,
                writer =>
                {
                    writer.WriteStartArray("mappings"u8);
                    foreach (var mapping in mappings)
                        WriteMapping(writer, mapping);
                    writer.WriteEndArray();
                }
            );
        }
        var table = new Table().Border(TableBorder.Rounded).AddColumns("name", "who publishes", "topics", "what");
        foreach (var mapping in mappings)
        {
            table.AddRow(
                new Text(mapping.Name),
                new Text(Sender(mapping)),
                new Text(string.Join('\n', mapping.Topics)),
                new Text(mapping.Description)
            );
        }
        Print(output, table);
        return ExitCodes.Ok;
    }

    internal static int Show(string name, InvocationConfiguration console)
    {
        if (ReadyMade.Text(name) is { } text)
        {
            console.Output.Write(text);
            return ExitCodes.Ok;
        }
        console.Error.WriteLine($"'{name}' is not ready-made; there are {string.Join(", ", ReadyMade.Names)}.");
        return ExitCodes.Failed;
    }

    internal static int Check(string file, bool json, TextWriter output)
    {
        var set = Load(file);
        if (json)
        {
            return Write(
                output,
                writer =>
                {
                    writer.WriteStartArray("mappings"u8);
                    foreach (var mapping in set.Mappings)
                        WriteMapping(writer, mapping);
                    writer.WriteEndArray();
                    WriteTexts(writer, "refused_topics", set.TakenTwice.Select(filter => filter.Text));
                }
            );
        }
        foreach (var mapping in set.Mappings)
            output.WriteLine($"{mapping.Name}: {Sender(mapping)}; {string.Join(", ", mapping.Topics)}");
        foreach (var kind in Enum.GetValues<ReadingKind>())
            output.WriteLine($"subscriptions for {Topics.Name(kind)} readings: {Texts(set.Subscriptions(kind))}");
        if (set.TakenTwice.Count > 0)
            output.WriteLine($"two subscriptions take these, so the broker lets nobody publish there: {Texts(set.TakenTwice)}");
        output.WriteLine(set.Mappings.Count == 0 ? "the file has no mapping" : "no problem was found");
        return ExitCodes.Ok;
    }

    internal static int Try(string file, string topic, byte[] payload, bool json, TextWriter output)
    {
        var set = Load(file);
        var trials = Enum.GetValues<ReadingKind>().Select(kind => MappingTrial.Of(set, topic, payload, kind)).ToList();
        // A mapping mostly makes one kind of reading, so an empty result for the other kind is not worth showing.
        if (trials.Exists(trial => trial.Route.Outcome == TopicOutcome.Mapped))
            trials.RemoveAll(trial => trial.Route.Outcome != TopicOutcome.Mapped);
        else
            trials.RemoveRange(1, trials.Count - 1);
        var isReading = trials.Exists(trial => trial.Readings.Exists(reading => reading.IsTaken));
        if (json)
        {
            Write(
                output,
                writer =>
                {
                    writer.WriteBoolean("reading"u8, isReading);
                    writer.WriteStartArray("results"u8);
                    foreach (var trial in trials)
                        trial.Write(writer);
                    writer.WriteEndArray();
                }
            );
        }
        else
        {
            foreach (var trial in trials)
                Print(output, trial);
        }
        return isReading ? ExitCodes.Ok : ExitCodes.Failed;
    }

    /// <exception cref="ConfigurationException">Something is wrong with it.</exception>
    static MappingSet Load(string file)
    {
        var problems = new List<string>();
        var set = File.Exists(file) ? MappingFiles.InUse("", file, problems) : MappingFiles.Of(file, problems);
        return problems.Count == 0 ? set : throw new ConfigurationException(problems);
    }

    static void Print(TextWriter output, MappingTrial trial)
    {
        output.WriteLine($"{Topics.Name(trial.Kind)}: {trial.Verdict}");
        foreach (var reading in trial.Readings)
        {
            output.WriteLine();
            output.WriteLine($"  {reading.Verdict}");
            output.WriteLine($"  {reading.Json}");
            var table = new Table().Border(TableBorder.Rounded).AddColumns("field", "path", "value", "why");
            foreach (var field in reading.Fields)
                table.AddRow(new Text(field.Field), new Text(field.Path), new Text(field.Value ?? "-"), new Text(field.Reason));
            Print(output, table);
        }
    }

    static void Print(TextWriter output, Table table) =>
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) }).Write(table);

    static int Write(TextWriter output, Action<Utf8JsonWriter> content)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, readable))
        {
            writer.WriteStartObject();
            content(writer);
            writer.WriteEndObject();
        }
        output.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
        return ExitCodes.Ok;
    }

    static void WriteMapping(Utf8JsonWriter writer, Mapping mapping)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, mapping.Name);
        writer.WriteBoolean("gateway"u8, mapping.IsGateway);
        WriteTexts(writer, "topics", mapping.Topics);
        writer.WriteString("description"u8, mapping.Description);
        writer.WriteEndObject();
    }

    static void WriteTexts(Utf8JsonWriter writer, string key, IEnumerable<string> texts)
    {
        writer.WriteStartArray(key);
        foreach (var text in texts)
            writer.WriteStringValue(text);
        writer.WriteEndArray();
    }

    static string Sender(Mapping mapping) => mapping.IsGateway ? "a gateway, for all its devices" : "each device, for itself";

    static string Texts(IReadOnlyList<TopicFilter> filters) => filters.Count == 0 ? "none" : string.Join(", ", filters);
}
