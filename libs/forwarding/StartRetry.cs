using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Forwarding;

/// <summary>Retries what a service must do with its disk before it can start.</summary>
static partial class StartRetry
{
    /// <summary>Retries every second, and reports that in the log and in health.</summary>
    /// <param name="part">The part of health.</param>
    /// <param name="services">What all slots share.</param>
    /// <param name="toSettingError">The error of a first attempt that fails because a setting is wrong.</param>
    public static Persistently Of(string part, SlotServices services, Func<Exception, Exception> toSettingError) =>
        new(part, services.Health, services.Clock)
        {
            OnRefused = reason => LogRefused(services.Logger, part, reason),
            ToSettingError = toSettingError,
        };

    [LoggerMessage(
        EventId = 147,
        Level = LogLevel.Error,
        Message = "This service cannot start because of its disk ({Part}): {Reason}. Retrying every second"
    )]
    static partial void LogRefused(ILogger logger, string part, string reason);
}
