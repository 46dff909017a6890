using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace ThermalStreaming.Hosting;

/// <summary>Level and format of the log.</summary>
sealed record LogSettings(LogLevel Level, bool Json)
{
    enum Format
    {
        Text,
        Json,
    }

    public static LogSettings Load(Settings settings) =>
        new(
            settings.Choice("LOG_LEVEL", LogLevel.Information, "Least severe level that is logged."),
            settings.Choice("LOG_FORMAT", Format.Text, "Lines for people or JSON for a log collector.") == Format.Json
        );

    public void Apply(ILoggingBuilder logging)
    {
        logging.SetMinimumLevel(Level);
        // The framework's own Information lines hold nothing for an operator to act on.
        logging.AddFilter("Microsoft", Level > LogLevel.Warning ? Level : LogLevel.Warning);
        // This program reports once why a part ended (Ended), without a stack trace if the configuration is the cause.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        logging.AddFilter("Grpc", Level > LogLevel.Warning ? Level : LogLevel.Warning);
        logging.AddFilter("System.Net.Http", Level > LogLevel.Warning ? Level : LogLevel.Warning);
        if (Json)
        {
            logging.AddJsonConsole(console =>
            {
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
            });
        }
        else
        {
            logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ssZ ";
                console.ColorBehavior = LoggerColorBehavior.Disabled;
            });
        }
    }
}
