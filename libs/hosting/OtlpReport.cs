using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Hosting;

/// <summary>Logs once when metrics arrive by OTLP, and once when they no longer do. For the thread that exports.</summary>
/// <param name="options">Where they go.</param>
/// <param name="answers">Why the last export failed.</param>
/// <param name="logger">Logs each change.</param>
sealed partial class OtlpReport(OtlpOptions options, OtlpAnswers answers, ILogger logger)
{
    bool? worked;

    /// <summary>An export ended.</summary>
    public void Exported(bool isTaken)
    {
        if (worked == isTaken)
            return;
        worked = isTaken;
        if (isTaken)
            LogSent(options.Shown, options.Every);
        else
            LogFailed(options.Shown, answers.Problem ?? "it did not take the metrics, or did not answer in time", options.Every);
    }

    [LoggerMessage(EventId = 621, Level = LogLevel.Information, Message = "Metrics are sent to {Receiver} by OTLP every {Interval}")]
    partial void LogSent(string receiver, string interval);

    [LoggerMessage(
        EventId = 622,
        Level = LogLevel.Warning,
        Message = "Metrics do not arrive at {Receiver} by OTLP: {Reason}. The service and /metrics are not affected; retrying every "
            + "{Interval}. Does the receiver run there, and does OTEL_EXPORTER_OTLP_PROTOCOL fit its port (usually 4318 for "
            + "http/protobuf, 4317 for grpc)?"
    )]
    partial void LogFailed(string receiver, string reason, string interval);
}
