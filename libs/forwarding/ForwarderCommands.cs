using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>The verbs of every forwarder besides the common ones: <c>journal</c>, <c>mappings</c>, <c>dead-letters</c> and
/// <c>cost</c>.</summary>
public static class ForwarderCommands
{
    public static IEnumerable<Command> Create(CostRoad road)
    {
        // Inspecting files must work even if the configuration is wrong.
        var data = DataDirectory.FromEnvironment();
        yield return JournalCommand.Create(SlotDirectory.Root(data), StoredPayload.Format);
        yield return MappingCommands.Create();
        yield return DeadLettersCommand(Path.Combine(data, "dead-letters"));
        yield return CostCommand.Create(road, data);
    }

    static Command DeadLettersCommand(string directory)
    {
        var json = new Option<bool>("--json") { Description = "Print the letters as lines of JSON, payloads in base64." };
        var list = new Command("list", "Show the dead letters and their reasons, oldest file first.") { json };
        list.SetAction(result => List(directory, result.GetValue(json), result.InvocationConfiguration.Output));
        var replay = new Command(
            "replay",
            "Send all dead letters back through a running service. Messages that still cannot be read become dead letters again."
        );
        replay.SetAction((result, cancel) => ReplayAsync(directory, result.InvocationConfiguration.Output, cancel));
        return new Command("dead-letters", "Readings and messages that could not be read, or were refused by the destination.")
        {
            list,
            replay,
        };
    }

    /// <returns>The exit code.</returns>
    internal static int List(string directory, bool json, TextWriter output)
    {
        if (json)
        {
            foreach (var line in DeadLetters.Files(directory).SelectMany(File.ReadLines).Where(line => !string.IsNullOrWhiteSpace(line)))
                output.WriteLine(line);
            return ExitCodes.Ok;
        }
        var table = new Table().Border(TableBorder.Rounded).AddColumns("when", "origin", "topic", "readings", "bytes", "reason");
        foreach (var file in DeadLetters.Files(directory))
        {
            var origin = DeadLetterOwner.NameOf(DeadLetterOwner.OfFile(file).Origin);
            foreach (var letter in DeadLetters.Read(file))
            {
                var at = letter.At.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
                var readings = letter.Readings == 0 ? "unreadable" : $"{letter.Readings}";
                table.AddRow(
                    new Text(at),
                    new Text(origin),
                    new Text(OneLine(letter.Topic)),
                    new Text(readings),
                    new Text($"{letter.Payload.Length}"),
                    new Text(OneLine(letter.Reason))
                );
            }
        }
        if (table.Rows.Count == 0)
            output.WriteLine($"No dead letters in {directory}.");
        else
            AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) }).Write(table);
        return ExitCodes.Ok;
    }

    /// <returns>The exit code.</returns>
    internal static async Task<int> ReplayAsync(string directory, TextWriter output, CancellationToken cancellationToken)
    {
        var unloaded = DeadLetterReplay.Unloaded(directory).Sum(file => DeadLetters.Read(file).Count());
        if (unloaded > 0)
        {
            output.WriteLine(
                $"{unloaded} letters are about files that Snowflake did not load. They stay: their readings are in the bucket, and each "
                    + "letter says how to load its file."
            );
        }
        var letters = await new DeadLetterReplay(directory, TimeProvider.System).QueueAllAsync(cancellationToken);
        if (letters == 0 && unloaded > 0)
            return ExitCodes.Ok;
        output.WriteLine(
            letters == 0
                ? $"No dead letters in {directory}."
                : $"{letters} letters were queued: a running service replays them within seconds. Those that still cannot be read "
                    + "become dead letters again. See: dead-letters list"
        );
        return ExitCodes.Ok;
    }

    /// <summary>The text may hold a sender's terminal control characters.</summary>
    static string OneLine(string text) => string.Concat(text.Select(letter => char.IsControl(letter) ? '·' : letter));
}
