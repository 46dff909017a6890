using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// Starts what a replica consists of: its own slots (<see cref="SlotPool"/>), and the adoption of slots without an owner
/// (<see cref="SlotAdoption"/>).
/// </summary>
sealed class Forwarder : BackgroundService
{
    /// <summary>How long a stop may take; the host allows 25 s and the container 30 s.</summary>
    static readonly TimeSpan StopBudget = TimeSpan.FromSeconds(20);

    readonly SlotServices services;
    readonly ForwarderOptions options;
    readonly TimeProvider clock;
    readonly ILogger logger;
    readonly ForwarderFigures figures;

    /// <param name="services">The services that all slots share.</param>
    /// <param name="page">The status page.</param>
    /// <param name="meter">For the figures.</param>
    public Forwarder(SlotServices services, StatusPage page, System.Diagnostics.Metrics.Meter meter)
    {
        this.services = services;
        options = services.Options;
        clock = services.Clock;
        logger = services.Logger;
        figures = new ForwarderFigures(services.Slots, services, page, meter);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        figures.Publish();
        // If one slot ends other than on request, the service ends: the container restarts it, and half a forwarder must not look whole.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        using var abort = new CancellationTokenSource();
        await using var _ = stop.Token.Register(() => abort.CancelAfter(StopBudget));
        try
        {
            var clientIdPrefix = $"{options.ServiceName}-{await PrepareAsync(stop.Token)}";
            using var ledger = new Ledger(
                options.DataDirectory,
                new SlotJournals(options.DataDirectory),
                clock,
                logger,
                maxBytes: options.LedgerMaxBytes
            );
            figures.Publish(ledger);
            var owner = new SlotOwner(services, ledger, clientIdPrefix);
            var pool = new SlotPool(services, owner.OwnAsync, StopBudget);
            var adoption = new SlotAdoption(services, owner, clientIdPrefix);
            Task[] running = [pool.RunAsync(stop.Token, abort.Token), adoption.RunAsync(stop.Token, abort.Token)];
            try
            {
                await await Task.WhenAny(running);
            }
            finally
            {
                await stop.CancelAsync();
                await Task.WhenAll(running);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Asked to stop while waiting for the disk.
        }
    }

    /// <returns>The installation's identity.</returns>
    Task<string> PrepareAsync(CancellationToken stop) =>
        StartRetry
            .Of(
                "data directory",
                services,
                e => new ConfigurationException([
                    $"DATA_DIRECTORY is '{options.DataDirectory}', which user {Environment.UserName} cannot write ({Settings.Reason(e)}); "
                        + "give that directory to this user, "
                        + "or name another one.",
                ])
            )
            .DoAsync(
                () =>
                {
                    DataFormat.Check(options.DataDirectory);
                    Directory.CreateDirectory(SlotDirectory.Root(options.DataDirectory));
                    SlotDirectory.FinishRetiring(options.DataDirectory);
                    new DeadLetterReplay(options.DeadLettersDirectory, clock).RecoverIfFree();
                    return ValueTask.FromResult(options.Installation ?? InstallId.Read(options.DataDirectory, logger));
                },
                stop
            );
}
