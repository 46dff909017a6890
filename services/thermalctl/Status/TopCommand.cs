// The program runs only on Linux.
#pragma warning disable CA1416
using System.CommandLine;
using System.Runtime.InteropServices;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verb <c>top</c>: <c>status</c>, live.</summary>
static class TopCommand
{
    static readonly TimeSpan period = TimeSpan.FromSeconds(1);

    /// <summary>Together with the period and the DNS before it, a vanished replica shows as gone within 5 s.</summary>
    static readonly TimeSpan patience = TimeSpan.FromSeconds(1.5);

    public static Command Create()
    {
        var count = new Option<int>("--count") { Description = "End after N updates, one a second.", HelpName = "N" };
        count.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
                result.AddError("--count must be 1 or more.");
        });
        var command = new Command(
            "top",
            "Shows the same live: q quits, s sorts by the next column, r reverses the order. In a pipe: prints lines, with --json as JSON."
        )
        {
            count,
        };
        return command.Asks((run, cancellationToken) => RunAsync(run, run.Get(count), cancellationToken));
    }

    static async Task<int> RunAsync(OperatorRun run, int count, CancellationToken cancellationToken)
    {
        var services = run.Installation.Services;
        var model = new TopModel([.. services.Select(service => service.Endpoint)], TimeProvider.System);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var first = services.Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToList();
        var watching = services.Select((service, i) => WatchAsync(service, model, first[i], ended.Token)).ToList();
        try
        {
            // Otherwise the first screen would be empty.
            await Task.WhenAll(first.Select(answer => answer.Task)).WaitAsync(cancellationToken);
            if (Console.IsOutputRedirected || run.WantsJson)
                await PrintAsync(run, model, count, cancellationToken);
            else
                await ShowAsync(model, count, cancellationToken);
            return ExitCodes.Ok;
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(watching);
        }
    }

    /// <summary>Watches one service by itself, so that no service waits for another.</summary>
    static async Task WatchAsync(ServiceReplicas service, TopModel model, TaskCompletionSource first, CancellationToken cancellationToken)
    {
        try
        {
            using var timer = new PeriodicTimer(period, TimeProvider.System);
            do
            {
                model.Update(service.Endpoint, await service.AskAsync(patience, cancellationToken));
                first.TrySetResult();
            } while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            first.TrySetCanceled(CancellationToken.None);
        }
    }

    static async Task PrintAsync(OperatorRun run, TopModel model, int count, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(period, TimeProvider.System);
        for (var looks = 1; ; looks++)
        {
            var rows = model.Rows(TopSort.Service, isReversed: false);
            if (run.WantsJson)
            {
                JsonText.Print(writer => StatusReport.Write(writer, rows));
            }
            else
            {
                foreach (var row in rows)
                    Console.Out.WriteLine(TopScreen.Line(row, TimeProvider.System.GetUtcNow()));
                Console.Out.Flush();
            }
            if (looks == count)
                return;
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    static async Task ShowAsync(TopModel model, int count, CancellationToken cancellationToken)
    {
        using var keys = new KeyPresses();
        using var resized = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => keys.Wake());
        using var screen = new TopScreen(Console.Out);
        var (sort, isReversed) = (TopSort.Service, false);
        var due = TimeProvider.System.GetTimestamp();
        for (var looks = 0; ; )
        {
            screen.Draw(model.Rows(sort, isReversed), sort, TimeProvider.System.GetUtcNow());
            var passed = TimeProvider.System.GetElapsedTime(due);
            if (passed >= period)
            {
                due = TimeProvider.System.GetTimestamp();
                (passed, looks) = (TimeSpan.Zero, looks + 1);
                if (looks == count)
                    return;
            }
            switch (await keys.NextAsync(period - passed, cancellationToken))
            {
                case 'q' or 'Q':
                    return;
                case 's' or 'S':
                    sort = (TopSort)(((int)sort + 1) % Enum.GetValues<TopSort>().Length);
                    break;
                case 'r' or 'R':
                    isReversed = !isReversed;
                    break;
            }
        }
    }
}
