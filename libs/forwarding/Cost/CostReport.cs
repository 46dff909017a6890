using System.Text.Json;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// What a day and a month cost, by what was sent in the last seven days. Outages count as days without readings. Immutable.
/// </summary>
/// <param name="road">The road that was taken.</param>
/// <param name="prices">What things cost.</param>
/// <param name="ledger">What was sent.</param>
/// <param name="now">The end of the last day.</param>
public sealed class CostReport(CostRoad road, CostPrices prices, CostDays ledger, DateTimeOffset now)
{
    const double DaysPerMonth = 365.25 / 12;

    const int DaysThatCount = 7;

    /// <summary>The first instant that counts.</summary>
    public DateTimeOffset From { get; } =
        new[] { ledger.Since, new DateTimeOffset(now.UtcDateTime.Date.AddDays(1 - DaysThatCount), TimeSpan.Zero) }.Max();

    /// <summary>Days from <see cref="From"/> on; at least a minute, so that the first reading does not count as a million a day.</summary>
    public double CountedDays => Math.Max((now - From).TotalDays, TimeSpan.FromMinutes(1).TotalDays);

    /// <summary>What was sent on these days.</summary>
    public CostFigures Counted { get; } =
        ledger
            .Days.Where(entry => entry.Day > DateOnly.FromDateTime(now.UtcDateTime).AddDays(-DaysThatCount))
            .Aggregate(default(CostFigures), (sum, entry) => sum + entry.Figures);

    public double CreditsPerDay => prices.Credits(road, Counted.BilledBytes / CountedDays);

    public double DollarsPerDay =>
        prices.Dollars(road, Counted.BilledBytes / CountedDays, Counted.Requests / CountedDays, Counted.Messages / CountedDays);

    /// <summary>
    /// The same readings by the other road. To a bucket: <paramref name="files"/> objects each
    /// <paramref name="linger"/>, while readings come.
    /// </summary>
    public (double Requests, double Credits, double Dollars) OtherPerDay(int files, TimeSpan linger)
    {
        var other = road == CostRoad.Streaming ? CostRoad.Files : CostRoad.Streaming;
        var billed = Counted.BilledBytes / CountedDays;
        var requests =
            other == CostRoad.Files && Counted.Rows > 0 ? Math.Min(files * (TimeSpan.FromDays(1) / linger), Counted.Rows / CountedDays) : 0;
        return (requests, prices.Credits(other, billed), prices.Dollars(other, billed, requests, requests));
    }

    /// <summary>The name of a road, for programs.</summary>
    public static string NameOf(CostRoad road) => road == CostRoad.Streaming ? "streaming" : "files";

    /// <summary>Writes the object that <c>cost --json</c> prints and <c>/status</c> has as <c>cost</c>.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="unsaved">Figures that the file does not have yet but that the report includes.</param>
    /// <param name="files">For the other road.</param>
    /// <param name="linger">For the other road.</param>
    public void Write(Utf8JsonWriter json, CostFigures unsaved, int files, TimeSpan linger)
    {
        json.WriteStartObject();
        json.WriteString("road"u8, NameOf(road));
        json.WriteString("counted_from"u8, From);
        json.WriteNumber("counted_days"u8, Math.Round(CountedDays, 4));
        Period("per_day"u8, 1);
        Period("per_month"u8, DaysPerMonth);
        var (requests, credits, dollars) = OtherPerDay(files, linger);
        json.WriteStartObject("other_road_per_day"u8);
        json.WriteString("road"u8, NameOf(road == CostRoad.Streaming ? CostRoad.Files : CostRoad.Streaming));
        json.WriteNumber("requests"u8, Math.Round(requests, 1));
        json.WriteNumber("credits"u8, Math.Round(credits, 8));
        json.WriteNumber("usd"u8, Math.Round(dollars, 6));
        json.WriteEndObject();
        json.WriteStartObject("unsaved"u8);
        WriteFigures(unsaved, 1);
        json.WriteEndObject();
        json.WriteStartObject("prices"u8);
        json.WriteNumber("usd_per_credit"u8, prices.CreditUsd);
        json.WriteNumber("streaming_credits_per_gb"u8, prices.StreamingCreditsPerGigabyte);
        json.WriteNumber("snowpipe_credits_per_gb"u8, prices.SnowpipeCreditsPerGigabyte);
        json.WriteNumber("usd_per_1000_puts"u8, prices.PutUsdPer1000);
        json.WriteNumber("usd_per_million_messages"u8, prices.MessageUsdPerMillion);
        json.WriteString("defaults_as_of"u8, CostPrices.AsOf);
        json.WriteEndObject();
        json.WriteEndObject();

        void Period(ReadOnlySpan<byte> name, double days)
        {
            json.WriteStartObject(name);
            WriteFigures(Counted, days / CountedDays);
            json.WriteNumber("credits"u8, Math.Round(CreditsPerDay * days, 8));
            json.WriteNumber("usd"u8, Math.Round(DollarsPerDay * days, 6));
            json.WriteEndObject();
        }

        void WriteFigures(CostFigures figures, double times)
        {
            json.WriteNumber("readings"u8, Math.Round(figures.Rows * times));
            json.WriteNumber("requests"u8, Math.Round(figures.Requests * times));
            json.WriteNumber("objects"u8, Math.Round(figures.Objects * times));
            json.WriteNumber("messages"u8, Math.Round(figures.Messages * times));
            json.WriteNumber("bytes_sent"u8, Math.Round(figures.SentBytes * times));
            json.WriteNumber("bytes_billed"u8, Math.Round(figures.BilledBytes * times));
        }
    }
}
