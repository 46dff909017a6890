using System.CommandLine;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verb <c>flush</c>.</summary>
static class FlushCommand
{
    static readonly TimeSpan usualPatience = TimeSpan.FromMinutes(5);
    static readonly TimeSpan progressPeriod = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var timeout = new Option<string>("--timeout")
        {
            Description = "How long to wait, for example 30s or 10m. Delivery continues after it.",
            HelpName = "TIME",
            DefaultValueFactory = _ => $"{usualPatience.TotalMinutes:0}m",
        };
        timeout.Validators.Add(result =>
        {
            if (!Settings.TryParseDuration(result.GetValueOrDefault<string>() ?? "", out var value) || value <= TimeSpan.Zero)
                result.AddError("--timeout must be a time with its unit, for example 30s or 10m.");
        });
        var command = new Command(
            "flush",
            "Delivers all readings that the forwarders hold, without waiting for full batches, and waits until they are committed."
        )
        {
            timeout,
        };
        return command.AsksChosen(
            async (run, cancellationToken) =>
            {
                _ = Settings.TryParseDuration(run.Get(timeout)!, out var patience);
                var forwarders = await run.ForwardersAsync(cancellationToken);
                using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                var progress = ShowProgressAsync(forwarders, run.Installation.Patience, ended.Token);
                try
                {
                    var outcomes = await run.CallAsync(
                        forwarders,
                        patience,
                        (client, call) => client.Forwarder.FlushAsync(new FlushRequest(), call),
                        cancellationToken
                    );
                    await StopAsync();
                    return run.Show(
                        [.. outcomes.Select(outcome => Explain(outcome, patience))],
                        answer => $"{ShortText.Of(answer.Readings, "reading")} delivered",
                        (writer, answer) => JsonText.Count(writer, "readings", answer.Readings)
                    );
                }
                catch (OperationCanceledException)
                {
                    await StopAsync();
                    await Console.Error.WriteLineAsync(
                        "interrupted: the forwarders continue to deliver; ./thermalctl status shows the backlog"
                    );
                    throw;
                }

                async Task StopAsync()
                {
                    await ended.CancelAsync();
                    await progress;
                }
            }
        );
    }

    /// <summary>Shows a waiting person how much is left, on standard error and only on a terminal.</summary>
    static async Task ShowProgressAsync(IReadOnlyList<ReplicaStatus> forwarders, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (Console.IsErrorRedirected)
            return;
        var started = TimeProvider.System.GetTimestamp();
        var wasShown = false;
        try
        {
            using var timer = new PeriodicTimer(progressPeriod, TimeProvider.System);
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                var left = await Task.WhenAll(forwarders.Select(forwarder => BacklogAsync(forwarder, patience, cancellationToken)));
                var passed = ShortText.Span(TimeProvider.System.GetElapsedTime(started));
                var total = left.Aggregate(0UL, (sum, backlog) => sum + backlog);
                await Console.Error.WriteAsync($"\r\x1b[K{ShortText.Of(total, "reading")} waiting, {passed}");
                wasShown = true;
            }
        }
        catch (OperationCanceledException)
        {
            if (wasShown)
                await Console.Error.WriteAsync("\r\x1b[K");
        }
    }

    static async Task<ulong> BacklogAsync(ReplicaStatus forwarder, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (forwarder.Client is not { } client || forwarder.Problem is not null)
            return 0;
        try
        {
            var deadline = TimeProvider.System.GetUtcNow().UtcDateTime + patience;
            var status = await client.Forwarder.GetStatusAsync(
                new GetForwarderStatusRequest(),
                deadline: deadline,
                cancellationToken: cancellationToken
            );
            return status.BacklogReadings;
        }
        catch (Grpc.Core.RpcException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return 0;
        }
    }

    /// <summary>A flush that takes longer is not a failure of the forwarder.</summary>
    static CallOutcome<FlushResponse> Explain(CallOutcome<FlushResponse> outcome, TimeSpan patience) =>
        outcome.Replica.Problem is null && outcome.Problem == CallProblem.Late(patience)
            ? outcome with
            {
                Problem = new CallProblem(
                    ShortText.Text($"not all readings were committed within {patience.TotalSeconds:0.#} s; delivery continues"),
                    "./thermalctl status shows backlog and errors; a longer --timeout waits for it"
                ),
            }
            : outcome;
}
