using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Journal;

/// <summary>Opens a journal, and tries again every second while its disk does not let it be opened.</summary>
public static class JournalOpening
{
    static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    /// <param name="options">The journal.</param>
    /// <param name="clock">Time.</param>
    /// <param name="logger">For the journal, and for the first failure.</param>
    /// <param name="report">Called with the problem after each failure.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public static async Task<DurableJournal> OpenAsync(
        JournalOptions options,
        TimeProvider clock,
        ILogger logger,
        Action<string> report,
        CancellationToken cancellationToken
    )
    {
        var unreadable = new UnreadableSince(clock);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var skip = unreadable.MaySkip(options.Directory);
                return DurableJournal.Open(options with { SkipUnreadable = skip }, clock, logger);
            }
            catch (Exception e) when (DiskError.IsFileProblem(e))
            {
                if (attempt == 1)
                    logger.OpenFails(e.Message);
                report(e.Message);
                unreadable.Note(options.Directory, e);
            }

            await Task.Delay(RetryInterval, clock, cancellationToken);
        }
    }
}
