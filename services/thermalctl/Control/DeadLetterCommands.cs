using System.CommandLine;
using System.Text;
using System.Text.Json;
using Google.Protobuf.Collections;
using Spectre.Console;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verb <c>dead-letters</c>: messages that could not be read or were refused, with the reason.</summary>
static class DeadLetterCommands
{
    const int MostAPage = 1_000;

    public static Command Create() =>
        new("dead-letters", "Readings and messages that could not be read, or were refused by the destination.")
        {
            List(),
            Show(),
            Replay(),
        };

    static Command List()
    {
        var limit = new Option<int>("--limit")
        {
            Description = $"The most to show for each service, 1 to {MostAPage}.",
            HelpName = "N",
            DefaultValueFactory = _ => 100,
        };
        limit.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > MostAPage)
                result.AddError($"--limit must be 1 to {MostAPage}.");
        });
        var newest = new Option<bool>("--newest") { Description = "The newest ones, newest first." };
        return new Command("list", "Shows the dead letters and their reasons, oldest first.") { limit, newest }.AsksChosen(
            async (run, cancellationToken) =>
                run.Show(
                    await run.CallAsync(
                        (await run.ForwardersAsync(cancellationToken)).OneEach(),
                        OperatorRun.Usual,
                        (client, call) =>
                            client.Forwarder.ListDeadLettersAsync(
                                new ListDeadLettersRequest { PageSize = run.Get(limit), NewestFirst = run.Get(newest) },
                                call
                            ),
                        cancellationToken
                    ),
                    answer =>
                        ShortText.Of((ulong)answer.Letters.Count, "dead letter")
                        + (answer.NextPageToken.Length > 0 ? ", and more: --limit" : ""),
                    (writer, answer) =>
                    {
                        writer.WriteStartArray("letters");
                        foreach (var letter in answer.Letters)
                        {
                            writer.WriteStartObject();
                            Write(writer, letter);
                            writer.WriteEndObject();
                        }
                        writer.WriteEndArray();
                        writer.WriteBoolean("more", answer.NextPageToken.Length > 0);
                    },
                    (console, answer) => Print(console, answer.Letters)
                )
        );
    }

    static Command Show()
    {
        var id = new Argument<string>("id") { Description = "As `list` shows it." };
        var raw = new Option<bool>("--raw") { Description = "Only the payload, byte for byte." };
        return new Command("show", "Shows one dead letter with its payload.") { id, raw }.AsksChosen(
            async (run, cancellationToken) =>
            {
                var outcomes = await run.CallAsync(
                    (await run.ForwardersAsync(cancellationToken)).OneEach(),
                    OperatorRun.Usual,
                    (client, call) => client.Forwarder.GetDeadLetterAsync(new GetDeadLetterRequest { Id = run.Get(id) }, call),
                    cancellationToken
                );
                // Each service has its own dead letters, so only one service can know this one.
                var found = outcomes.Where(outcome => outcome.Answer is not null).Take(1).ToList();
                if (found is [{ Answer: { } letter }] && run.Get(raw) && !run.WantsJson)
                {
                    await using var output = Console.OpenStandardOutput();
                    await output.WriteAsync(letter.Payload.Memory, cancellationToken);
                    return ExitCodes.Ok;
                }
                return run.Show(
                    found.Count > 0 ? found : outcomes,
                    answer => answer.Id,
                    (writer, answer) =>
                    {
                        Write(writer, answer);
                        writer.WriteString("payload_base64", answer.Payload.ToBase64());
                        writer.WriteString("payload_text", TextOf(answer.Payload.Span));
                    },
                    PrintWhole
                );
            }
        );
    }

    static Command Replay()
    {
        var ids = new Argument<string[]>("id") { Description = "As `list` shows them.", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "All of them." };
        var command = new Command(
            "replay",
            "Sends dead letters through the forwarder again. Those that still cannot be stored become dead letters again."
        )
        {
            ids,
            all,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(all) == result.GetValue(ids) is { Length: > 0 })
                result.AddError("Name the dead letters, or add --all.");
        });
        return command.AsksChosen(
            async (run, cancellationToken) =>
            {
                var request = new ReplayDeadLettersRequest { Ids = { run.Get(ids) ?? [] } };
                var outcomes = await run.CallAsync(
                    (await run.ForwardersAsync(cancellationToken)).OneEach(),
                    OperatorRun.Usual,
                    (client, call) => client.Forwarder.ReplayDeadLettersAsync(request, call),
                    cancellationToken
                );
                return run.Show(
                    outcomes,
                    answer => $"{ShortText.Of(answer.Queued, "dead letter")} queued; the forwarder takes them in within seconds",
                    (writer, answer) => JsonText.Count(writer, "queued", answer.Queued)
                );
            }
        );
    }

    static void Print(IAnsiConsole console, RepeatedField<DeadLetter> letters)
    {
        if (letters.Count == 0)
            return;
        var table = new Table().Border(TableBorder.None).AddColumns("    id", "when", "origin", "topic", "readings", "size", "reason");
        foreach (var letter in letters)
        {
            table.AddRow(
                new Text($"    {letter.Id}"),
                new Text(When(letter)),
                new Text(letter.Origin),
                new Text(TerminalText.Plain(letter.Topic)),
                new Text(letter.Readings == 0 ? "unreadable" : ShortText.Count(letter.Readings)),
                new Text(ShortText.Bytes(letter.PayloadBytes)),
                new Text(Clean(letter.Reason))
            );
        }
        console.Write(table);
    }

    static void PrintWhole(IAnsiConsole console, DeadLetter letter)
    {
        console.MarkupLineInterpolated($"    [bold]when:[/]    {When(letter)}");
        console.MarkupLineInterpolated($"    [bold]origin:[/]  {letter.Origin}");
        console.MarkupLineInterpolated($"    [bold]topic:[/]   {TerminalText.Plain(letter.Topic)}");
        console.MarkupLineInterpolated($"    [bold]content:[/] {Clean(letter.ContentType)}, {ShortText.Bytes(letter.PayloadBytes)}");
        console.MarkupLineInterpolated($"    [bold]reason:[/]  {Clean(letter.Reason)}");
        console.MarkupLineInterpolated(
            $"    [bold]payload:[/] {TextOf(letter.Payload.Span) ?? Convert.ToHexStringLower(letter.Payload.Span)}"
        );
    }

    static void Write(Utf8JsonWriter writer, DeadLetter letter)
    {
        writer.WriteString("id", letter.Id);
        writer.WriteString("at", ReplicaStatus.Iso(letter.At));
        writer.WriteString("origin", letter.Origin);
        writer.WriteString("topic", letter.Topic);
        writer.WriteString("content_type", letter.ContentType);
        writer.WriteNumber("readings", letter.Readings);
        writer.WriteString("reason", letter.Reason);
        JsonText.Count(writer, "payload_bytes", letter.PayloadBytes);
    }

    /// <summary>Null if the payload is not text: a terminal would not show it, or obey its control characters.</summary>
    static string? TextOf(ReadOnlySpan<byte> payload)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(payload);
            return text.Any(character => char.IsControl(character) && character is not ('\n' or '\r' or '\t')) ? null : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    static string When(DeadLetter letter) => ReplicaStatus.Iso(letter.At)?[..19].Replace('T', ' ') ?? "-";

    static string Clean(string text) => TerminalText.Plain(text.ReplaceLineEndings(" "));
}
