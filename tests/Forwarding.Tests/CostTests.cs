using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

public sealed class CostTests : IDisposable
{
    static readonly DateTimeOffset noon = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    readonly TempDirectory directory = new();
    readonly ManualClock clock = new(noon);
    readonly Meter meter = new("tests");
    readonly FakeLogCollector log = new();

    public void Dispose()
    {
        directory.Dispose();
        meter.Dispose();
    }

    /// <summary>By the price lists: 0.0037 credits a GB for both roads, 2 USD a credit, 0.005 USD for 1,000 PUTs.</summary>
    [Theory]
    [InlineData(CostRoad.Streaming, 0.0037, 0.0074)]
    [InlineData(CostRoad.Files, 0.0037, 0.0362)]
    public void A_day_costs_what_the_price_lists_say(CostRoad road, double credits, double dollars)
    {
        var ledger = new CostDays(
            noon.AddDays(-1),
            [(DateOnly.FromDateTime(noon.Date), new CostFigures(1000, 5760, 5760, 5760, 1, 1_000_000_000))]
        );

        var report = new CostReport(road, CostPrices.Default, ledger, noon);

        Assert.Equal((credits, dollars), (Math.Round(report.CreditsPerDay, 9), Math.Round(report.DollarsPerDay, 9)));
    }

    [Fact]
    public void Both_roads_stand_side_by_side()
    {
        var ledger = new CostDays(
            noon.AddDays(-1),
            [(DateOnly.FromDateTime(noon.Date), new CostFigures(259_200, 86_400, 0, 0, 1, 100_000_000))]
        );

        var report = new CostReport(CostRoad.Streaming, CostPrices.Default, ledger, noon);

        var (requests, credits, dollars) = report.OtherPerDay(4, TimeSpan.FromMinutes(1));
        Assert.Equal((5760, 0.00037, 0.02954), (requests, Math.Round(credits, 9), Math.Round(dollars, 9)));
        Assert.Equal(0.00074, Math.Round(report.DollarsPerDay, 9));
    }

    [Fact]
    public void What_was_sent_survives_a_restart_and_an_outage_counts_as_days_without()
    {
        var book = NewBook();
        book.Add(new CostFigures(100, 10, 4, 4, 300, 7000));
        clock.Advance(TimeSpan.FromDays(1));
        book.Add(new CostFigures(100, 10, 4, 4, 300, 7000));
        book.Save();
        clock.Advance(TimeSpan.FromDays(1));

        var report = NewBook().Report();

        Assert.Equal(new CostFigures(200, 20, 8, 8, 600, 14_000), report.Counted);
        Assert.Equal((2, noon), (report.CountedDays, report.From));
    }

    [Fact]
    public void A_week_counts_and_a_month_is_kept()
    {
        var book = NewBook();
        for (var day = 0; day < 40; day++)
        {
            book.Add(new CostFigures(1, 0, 0, 0, 0, long.MaxValue / 1000));
            book.Save();
            clock.Advance(TimeSpan.FromDays(1));
        }

        var ledger = CostDays.Load(directory.Path)!;
        Assert.Equal(CostDays.MostDays, ledger.Days.Count);
        Assert.Equal(DateOnly.FromDateTime(noon.Date).AddDays(39), ledger.Days[^1].Day);
        Assert.Equal(6, book.Report().Counted.Rows);
        Assert.Equal(6.5, book.Report().CountedDays);
    }

    /// <summary>The replicas of a service share the directory.</summary>
    [Fact]
    public void Two_replicas_add_up()
    {
        var (one, other) = (NewBook(), NewBook());
        one.Add(new CostFigures(1, 0, 0, 0, 0, 10));
        other.Add(new CostFigures(2, 0, 0, 0, 0, 20));

        one.Save();
        other.Save();
        one.Save();

        Assert.Equal(new CostFigures(3, 0, 0, 0, 0, 30), NewBook().Report().Counted);
    }

    [Fact]
    public void While_another_replica_writes_nothing_is_lost_or_doubled()
    {
        var book = NewBook();
        book.Add(new CostFigures(5, 0, 0, 0, 0, 0));
        using (FileLock.TryTake(directory.File("cost.lock")))
            book.Save();
        Assert.Equal(5, book.Report().Counted.Rows);
        Assert.Contains("is being written by another replica", Assert.Single(log.GetSnapshot()).Message, StringComparison.Ordinal);

        book.Save();

        Assert.Equal(5, book.Report().Counted.Rows);
        Assert.Equal(5, NewBook().Report().Counted.Rows);
    }

    [Fact]
    public void Nothing_is_written_while_nothing_is_sent()
    {
        var book = NewBook();
        book.Save();
        Assert.Empty(Directory.GetFiles(directory.Path));
    }

    [Fact]
    public async Task It_is_written_once_an_hour_and_at_the_end()
    {
        using var book = NewBook();
        await book.StartAsync(default);
        using var ceiling = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (clock.NextDue is null && !ceiling.IsCancellationRequested)
            await Task.Yield();
        Assert.Equal(TimeSpan.FromHours(1), clock.NextDue);
        book.Add(new CostFigures(1, 0, 0, 0, 0, 0));

        clock.Advance(TimeSpan.FromHours(1));
        while (CostDays.Load(directory.Path) is null && !ceiling.IsCancellationRequested)
            await Task.Yield();
        book.Add(new CostFigures(1, 0, 0, 0, 0, 0));
        await book.StopAsync(default);

        Assert.Equal(2, CostDays.Load(directory.Path)!.Days.Sum(day => day.Figures.Rows));
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("1764504000;20261120 1 2 3 4 5 6 00000000\n")]
    public void A_damaged_file_is_begun_again(string content)
    {
        File.WriteAllText(directory.File("cost"), content);

        var book = NewBook();
        book.Add(new CostFigures(1, 0, 0, 0, 0, 0));
        book.Save();

        Assert.Equal(1, NewBook().Report().Counted.Rows);
    }

    [Fact]
    public void The_verb_prints_both_roads_and_JSON()
    {
        CostDays.Add(
            directory.Path,
            noon.AddDays(-1),
            [(DateOnly.FromDateTime(noon.Date), new CostFigures(1000, 100, 90, 80, 2_000_000, 10_000_000))]
        );
        using var table = new StringWriter();
        using var json = new StringWriter();
        var sent = new CostCommand.Sent(CostRoad.Files, CostPrices.Default, default, noon);

        var codes = (
            CostCommand.Run(sent, directory.Path, (4, TimeSpan.FromMinutes(1)), json: false, noon, table),
            CostCommand.Run(sent, directory.Path, (4, TimeSpan.FromMinutes(1)), json: true, noon, json)
        );

        Assert.Equal((ExitCodes.Ok, ExitCodes.Ok), codes);
        Assert.Contains("files, a day", table.ToString(), StringComparison.Ordinal);
        Assert.Contains("streamed, a day", table.ToString(), StringComparison.Ordinal);
        Assert.Matches("PUT requests +│ 100 +│ 3044", table.ToString());
        Assert.Contains("From what was sent in 1 days. ", table.ToString(), StringComparison.Ordinal);
        using var document = JsonDocument.Parse(json.ToString());
        var day = document.RootElement.GetProperty("per_day");
        Assert.Equal(
            (100, 80, 0.000037),
            (day.GetProperty("requests").GetInt32(), day.GetProperty("messages").GetInt32(), day.GetProperty("credits").GetDouble())
        );
        Assert.Equal(0.000574, day.GetProperty("usd").GetDouble());
        Assert.Equal(0.000074, document.RootElement.GetProperty("other_road_per_day").GetProperty("usd").GetDouble());
    }

    [Fact]
    public void The_verb_says_when_there_is_nothing_yet()
    {
        using var output = new StringWriter();

        var code = CostCommand.Run(
            new(CostRoad.Files, CostPrices.Default, default, noon),
            directory.Path,
            (4, TimeSpan.FromMinutes(1)),
            json: false,
            noon,
            output
        );

        Assert.Equal(ExitCodes.Failed, code);
        Assert.StartsWith("Nothing was counted yet", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3.10", 3.1, "")]
    [InlineData("3,10", 2, "COST_CREDIT_USD is '3,10'; it must be a price")]
    [InlineData("-1", 2, "COST_CREDIT_USD is '-1'; it must be a price")]
    public void Prices_are_settings(string text, double expected, string problem)
    {
        var settings = new Settings(
            new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("COST_CREDIT_USD", (string?)text)]).Build()
        );

        Assert.Equal(expected, CostPrices.Load(settings).CreditUsd);
        Assert.StartsWith(problem, string.Join('|', settings.Problems), StringComparison.Ordinal);
        Assert.Contains(settings.Entries, entry => entry.Description.Contains(CostPrices.AsOf, StringComparison.Ordinal));
    }

    CostBook NewBook() =>
        new(CostRoad.Files, CostPrices.Default, directory.Path, (meter, new StatusPage()), clock, new FakeLogger<CostBook>(log));
}
