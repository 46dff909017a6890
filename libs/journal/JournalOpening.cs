using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Journal;

/// <summary>Opens a journal however long its disk is in a state in which it cannot be.</summary>
public static class JournalOpening
{
    static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    /// <summary>How long bytes that the device does not give back are waited for before they are stepped over.</summary>
    static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(30);

    /// <param name="options">The journal.</param>
    /// <param name="clock">Time.</param>
    /// <param name="logger">Hears of the first failure.</param>
    /// <param name="report">Called with the problem while there is one, and with null when the journal is open.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="IOException">A path or a permission must be corrected: waiting does not help (<see cref="DiskError.IsSetting"/>).</exception>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public static async Task<DurableJournal> OpenAsync(JournalOptions options, TimeProvider clock, ILogger logger, Action<string?> report, CancellationToken cancellationToken)
    {
        long? unreadableSince = null;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var skip = unreadableSince is { } since && clock.GetElapsedTime(since) >= ReadPatience;
                var journal = DurableJournal.Open(options with { SkipUnreadable = skip }, clock, logger);
                report(null);
                return journal;
            }
            catch (Exception e) when (DiskError.IsFileProblem(e) && !(attempt == 1 && DiskError.IsSetting(e)))
            {
                if (attempt == 1)
                    logger.OpenFails(e.Message);
                report(e.Message);
                unreadableSince = DiskError.IsMedium(e) ? unreadableSince ?? clock.GetTimestamp() : null;
            }

            await Task.Delay(RetryInterval, clock, cancellationToken);
        }
    }
}
