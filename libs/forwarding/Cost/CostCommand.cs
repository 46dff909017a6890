using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Spectre.Console;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>The verb <c>cost</c>: what a day's and a month's readings cost, by either road.</summary>
static class CostCommand
{
    /// <param name="road">The service's own road.</param>
    /// <param name="directory">Its data directory.</param>
    public static Command Create(CostRoad road, string directory)
    {
        var json = new Option<bool>("--json") { Description = "Print JSON for machines." };
        var files = new Option<int>("--files")
        {
            Description = "Objects per batch, for the comparison with files (NUM_FILES).",
            DefaultValueFactory = _ => CostBook.ComparedFiles,
        };
        var minutes = new Option<double>("--minutes")
        {
            Description = "Minutes between batches, for the comparison with files (S3_BATCH_LINGER).",
            DefaultValueFactory = _ => CostBook.ComparedLinger.TotalMinutes,
        };
        var command = new Command(
            "cost",
            "Estimates what a day and a month cost, from what was sent in the last seven days, for streaming and for files."
        )
        {
            json,
            files,
            minutes,
        };
        command.SetAction(
            async (result, cancellationToken) =>
            {
                var configuration = new ConfigurationBuilder().AddEnvironmentVariables().Build();
                var settings = new Settings(configuration);
                var prices = CostPrices.Load(settings);
                var service = RunningService.Of(settings);
                if (settings.Problems.Count > 0)
                    throw new ConfigurationException(settings.Problems);
                if (result.GetValue(files) < 1 || !(result.GetValue(minutes) > 0))
                {
                    await result.InvocationConfiguration.Error.WriteLineAsync("--files and --minutes must be more than 0.");
                    return ExitCodes.Failed;
                }
                var (since, unsaved) = Unsaved(await service.StatusAsync(cancellationToken));
                return Run(
                    new(road, prices, unsaved, since),
                    directory,
                    (result.GetValue(files), TimeSpan.FromMinutes(result.GetValue(minutes))),
                    result.GetValue(json),
                    TimeProvider.System.GetUtcNow(),
                    result.InvocationConfiguration.Output
                );
            }
        );
        return command;
    }

    /// <returns>The exit code.</returns>
    internal static int Run(
        Sent sent,
        string directory,
        (int Files, TimeSpan Linger) compared,
        bool json,
        DateTimeOffset now,
        TextWriter output
    )
    {
        CostDays? saved;
        try
        {
            saved = CostDays.Load(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            output.WriteLine(
                $"{Path.Combine(directory, "cost")} cannot be read ({Settings.Reason(e)}); run this in the service's container."
            );
            return ExitCodes.Failed;
        }
        if (saved is null && sent.Unsaved == default)
        {
            output.WriteLine(
                $"Nothing was counted yet: {Path.Combine(directory, "cost")} is written an hour after the first reading was sent."
            );
            return ExitCodes.Failed;
        }
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var ledger = new CostDays(saved?.Since ?? sent.Since, [.. saved?.Days ?? [], (today, sent.Unsaved)]);
        var report = new CostReport(sent.Road, sent.Prices, ledger, now);
        if (json)
        {
            using var buffer = new MemoryStream();
            using (var writer = new Utf8JsonWriter(buffer))
                report.Write(writer, sent.Unsaved, compared.Files, compared.Linger);
            output.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
            return ExitCodes.Ok;
        }
        Print(report, sent, compared, output);
        return ExitCodes.Ok;
    }

    static void Print(CostReport report, Sent sent, (int Files, TimeSpan Linger) compared, TextWriter output)
    {
        var counted = report.Counted;
        var other = report.OtherPerDay(compared.Files, compared.Linger);
        var isStreaming = sent.Road == CostRoad.Streaming;
        var table = new Table()
            .Border(TableBorder.Rounded)
            .AddColumns(
                "",
                isStreaming ? "streaming, a day" : "files, a day",
                "a month",
                isStreaming ? "as files, a day" : "streamed, a day"
            );
        Row("readings", counted.Rows, counted.Rows / report.CountedDays, "0");
        Row(isStreaming ? "appends" : "PUT requests", counted.Requests, isStreaming ? other.Requests : 0, "0", isStreaming ? " PUTs" : "");
        if (!isStreaming)
        {
            Row("objects", counted.Objects, 0, "0");
            Row("notifications (SQS)", counted.Messages, 0, "0");
        }
        Row("MB on the wire", counted.SentBytes / 1e6, null, "0.###");
        Row("MB that Snowflake bills", counted.BilledBytes / 1e6, counted.BilledBytes / 1e6 / report.CountedDays, "0.###");
        Row("credits", report.CreditsPerDay * report.CountedDays, other.Credits, "0.000000");
        Row("US dollars", report.DollarsPerDay * report.CountedDays, other.Dollars, "0.0000##");
        // A table keeps its width in a pipe too.
        var console = CheckList.ConsoleFor(output, isTerminal: false);
        console.Write(table);
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"From what was sent in {Span(report.CountedDays)}. Prices of {CostPrices.AsOf} unless set (COST_…): "
                    + $"{sent.Prices.CreditUsd} USD a credit, {sent.Prices.PutUsdPer1000} USD for 1,000 PUTs. As files: "
                    + $"{compared.Files} objects every {compared.Linger.TotalMinutes:0.##} min. Not included: storage, and the "
                    + $"warehouse that runs queries. docs/cost.md"
            )
        );

        void Row(string name, double counted, double? otherRoad, string format, string unit = "")
        {
            var perDay = counted / report.CountedDays;
            table.AddRow(
                new Text(name),
                new Text(perDay.ToString(format, CultureInfo.InvariantCulture)),
                new Text((perDay * 365.25 / 12).ToString(format, CultureInfo.InvariantCulture)),
                new Text(otherRoad is { } value ? value.ToString(format, CultureInfo.InvariantCulture) + unit : "-")
            );
        }
    }

    static string Span(double days) =>
        days >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"{days:0.#} days")
            : string.Create(CultureInfo.InvariantCulture, $"{days * 1440:0} min; before a day has passed this is a guess");

    /// <summary>What a running service has counted since it wrote the file.</summary>
    static (DateTimeOffset Since, CostFigures Figures) Unsaved(JsonElement? status)
    {
        if (status is not { } page || !page.TryGetProperty("cost", out var cost) || !cost.TryGetProperty("unsaved", out var unsaved))
            return default;
        var figures = new CostFigures(
            Number("readings"),
            Number("requests"),
            Number("objects"),
            Number("messages"),
            Number("bytes_sent"),
            Number("bytes_billed")
        );
        return (cost.GetProperty("counted_from").GetDateTimeOffset(), figures);

        long Number(string name) => unsaved.TryGetProperty(name, out var value) && value.TryGetInt64(out var number) ? number : 0;
    }

    /// <summary>What the verb knows besides the file.</summary>
    /// <param name="Road">The service's road.</param>
    /// <param name="Prices">From the settings.</param>
    /// <param name="Unsaved">What the running service has not written yet.</param>
    /// <param name="Since">When that service began to count.</param>
    internal sealed record Sent(CostRoad Road, CostPrices Prices, CostFigures Unsaved, DateTimeOffset Since);
}
