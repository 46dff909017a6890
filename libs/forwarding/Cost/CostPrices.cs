using System.Globalization;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Prices, without taxes and discounts. Defaults: Snowflake's Service Consumption Table (0.0037 credits per GB for both roads since
/// 2025-12-08; 2 USD a credit, Standard edition on AWS in the US) and Amazon S3's price list for us-east-1, S3 Standard, as of
/// <see cref="AsOf"/>.
/// </summary>
/// <param name="CreditUsd">US dollars per credit; it depends on edition and region.</param>
/// <param name="StreamingCreditsPerGigabyte">Snowpipe Streaming: credits per GB (10⁹ bytes) before compression.</param>
/// <param name="SnowpipeCreditsPerGigabyte">Classic Snowpipe, text formats: the same.</param>
/// <param name="PutUsdPer1000">US dollars for 1,000 PUT requests.</param>
/// <param name="MessageUsdPerMillion">US dollars for a million messages to the queue; Snowflake's own costs the account
/// nothing.</param>
public sealed record CostPrices(
    double CreditUsd,
    double StreamingCreditsPerGigabyte,
    double SnowpipeCreditsPerGigabyte,
    double PutUsdPer1000,
    double MessageUsdPerMillion
)
{
    /// <summary>When the defaults were looked up.</summary>
    public const string AsOf = "2026-09";

    public static CostPrices Default { get; } = new(2, 0.0037, 0.0037, 0.005, 0);

    public static CostPrices Load(Settings settings) =>
        new(
            Price(settings, "COST_CREDIT_USD", Default.CreditUsd, "US dollars per Snowflake credit: your edition's and region's."),
            Price(
                settings,
                "COST_STREAMING_CREDITS_PER_GB",
                Default.StreamingCreditsPerGigabyte,
                "Credits per GB before compression, Snowpipe Streaming."
            ),
            Price(
                settings,
                "COST_SNOWPIPE_CREDITS_PER_GB",
                Default.SnowpipeCreditsPerGigabyte,
                "Credits per GB before compression, classic Snowpipe."
            ),
            Price(settings, "COST_PUT_USD_PER_1000", Default.PutUsdPer1000, "US dollars for 1,000 PUT requests to the bucket."),
            Price(
                settings,
                "COST_MESSAGE_USD_PER_MILLION",
                Default.MessageUsdPerMillion,
                "US dollars for a million notifications; 0 for the pipe's own queue, which Snowflake owns; 0.40 for an SQS queue of "
                    + "your own."
            )
        );

    public double Credits(CostRoad road, double billedBytes) =>
        billedBytes / 1e9 * (road == CostRoad.Streaming ? StreamingCreditsPerGigabyte : SnowpipeCreditsPerGigabyte);

    public double Dollars(CostRoad road, double billedBytes, double requests, double messages) =>
        Credits(road, billedBytes) * CreditUsd
        + (road == CostRoad.Files ? requests / 1000 * PutUsdPer1000 + messages / 1e6 * MessageUsdPerMillion : 0);

    static double Price(Settings settings, string key, double defaultValue, string description)
    {
        var text = settings.Text(key, defaultValue.ToString(CultureInfo.InvariantCulture), $"{description} Default of {AsOf}.");
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var price) && price is >= 0 and < 1e6)
            return price;
        settings.Problem(
            $"{key} is '{text}'; it must be a price such as {defaultValue.ToString(CultureInfo.InvariantCulture)}, with a point."
        );
        return defaultValue;
    }
}
