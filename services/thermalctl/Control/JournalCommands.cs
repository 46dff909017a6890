using System.CommandLine;
using System.Text.Json;
using Google.Protobuf.Collections;
using Spectre.Console;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verb <c>journal</c>: the forwarders' readings on disk.</summary>
static class JournalCommands
{
    /// <summary>Every byte is read from an SD card.</summary>
    static readonly TimeSpan verifyPatience = TimeSpan.FromMinutes(10);

    public static Command Create() => new("journal", "The readings that the forwarders hold on disk.") { Inspect(), Verify(), Export() };

    static Command Inspect() =>
        Looks(new Command("inspect", "Shows offsets, backlog and size of each journal."), new InspectJournalRequest(), OperatorRun.Usual);

    static Command Verify() =>
        Looks(
            new Command("verify", "Checks every record of each journal. Exit code 1 if anything is damaged."),
            new InspectJournalRequest { Verify = true },
            verifyPatience
        );

    /// <summary>The readings go directly from the service's container to the person, not through this program.</summary>
    static Command Export()
    {
        var service = new Argument<string>("service")
        {
            Description = "The service whose journals are printed: sensor-agent, snowpipe-forwarder or s3-forwarder.",
        };
        service.AcceptOnlyFromAmong("sensor-agent", "snowpipe-forwarder", "s3-forwarder");
        var from = new Option<long?>("--from") { Description = "First offset to print.", HelpName = "OFFSET" };
        var to = new Option<long?>("--to") { Description = "Offset to stop before.", HelpName = "OFFSET" };
        var export = new Command(
            "export",
            "Prints stored readings as lines of JSON. ./thermalctl runs the service's own verb for it, in the service's container."
        )
        {
            service,
            from,
            to,
        };
        export.SetAction(parsed => NotFromHere(parsed.GetValue(service)!));
        return export;
    }

    static int NotFromHere(string name) =>
        throw new FailureException(
            "the journals cannot be exported from here",
            "Their files are in the service's container",
            $"docker compose exec -T {name} {name} journal export, or ./thermalctl journal export {name} in the project's directory"
        );

    static Command Looks(Command command, InspectJournalRequest request, TimeSpan patience) =>
        command.AsksChosen(
            async (run, cancellationToken) =>
            {
                var outcomes = await run.CallAsync(
                    await run.ForwardersAsync(cancellationToken),
                    patience,
                    (client, call) => client.Forwarder.InspectJournalAsync(request, call),
                    cancellationToken
                );
                var code = run.Show(
                    outcomes,
                    answer => ShortText.Of((ulong)answer.Journals.Count, "journal"),
                    (writer, answer) => Write(writer, answer.Journals, request.Verify),
                    (console, answer) => Print(console, answer.Journals, request.Verify)
                );
                var isDamaged = outcomes.Any(outcome =>
                    outcome.Answer is { } answer && answer.Journals.Any(journal => journal.DamagedPlaces > 0 || journal.Problems.Count > 0)
                );
                return code == ExitCodes.Ok && request.Verify && isDamaged ? ExitCodes.Failed : code;
            }
        );

    static void Print(IAnsiConsole console, RepeatedField<JournalStatus> journals, bool isVerified)
    {
        if (journals.Count == 0)
            return;
        var table = new Table().Border(TableBorder.None);
        table.AddColumn("    slot").AddColumn("epoch");
        foreach (var title in (string[])["first", "committed", "next", "backlog", "size", "segments", "lost", "damaged"])
            table.AddColumn(new TableColumn(title).RightAligned());
        foreach (var journal in journals)
        {
            var backlog = journal.NextOffset > journal.CommittedOffset ? journal.NextOffset - journal.CommittedOffset : 0;
            table.AddRow(
                new Text($"    {journal.Slot}"),
                new Text(journal.Epoch),
                new Text(ShortText.Count(journal.FirstOffset)),
                new Text(ShortText.Count(journal.CommittedOffset)),
                new Text(ShortText.Count(journal.NextOffset)),
                new Text(ShortText.Count(backlog)),
                new Text(ShortText.Bytes(journal.Bytes)),
                new Text(ShortText.Count(journal.Segments)),
                new Text(ShortText.Count(journal.LostReadings)),
                new Text(ShortText.Count(journal.DamagedPlaces), journal.DamagedPlaces > 0 ? new Style(Color.Red) : Style.Plain)
            );
        }
        console.Write(table);
        if (!isVerified)
            return;
        foreach (var journal in journals)
        {
            console.MarkupLineInterpolated($"    {journal.Slot}: {ShortText.Of(journal.VerifiedReadings, "reading")} read and intact");
            foreach (var problem in journal.Problems)
                console.MarkupLineInterpolated($"    [red]{journal.Slot}: {TerminalText.Plain(problem.ReplaceLineEndings(" "))}[/]");
        }
    }

    static void Write(Utf8JsonWriter writer, RepeatedField<JournalStatus> journals, bool isVerified)
    {
        writer.WriteStartArray("journals");
        foreach (var journal in journals)
        {
            writer.WriteStartObject();
            writer.WriteString("slot", journal.Slot);
            writer.WriteString("epoch", journal.Epoch);
            JsonText.Count(writer, "first_offset", journal.FirstOffset);
            JsonText.Count(writer, "committed_offset", journal.CommittedOffset);
            JsonText.Count(writer, "next_offset", journal.NextOffset);
            JsonText.Count(writer, "bytes", journal.Bytes);
            JsonText.Count(writer, "segments", journal.Segments);
            JsonText.Count(writer, "lost_readings", journal.LostReadings);
            JsonText.Count(writer, "damaged_places", journal.DamagedPlaces);
            if (isVerified)
            {
                JsonText.Count(writer, "verified_readings", journal.VerifiedReadings);
                writer.WriteStartArray("problems");
                foreach (var problem in journal.Problems)
                    writer.WriteStringValue(problem);
                writer.WriteEndArray();
            }
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
