using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>Answers the gRPC calls of a forwarder. Thread-safe.</summary>
/// <param name="report">Its status.</param>
/// <param name="watch">Of the status.</param>
/// <param name="services">What the slots share.</param>
/// <param name="calls">Ends calls when the service stops.</param>
sealed class ForwarderControl(ForwarderReport report, StatusWatch watch, SlotServices services, ControlStreams calls)
    : Control.Forwarder.ForwarderBase
{
    readonly DeadLetterControl letters = new(services.DeadLetters.Directory, services.Clock);
    readonly JournalReport journals = new(services);

    /// <summary>For the definition of a service.</summary>
    public static ControlDefinition Definition { get; } =
        new()
        {
            Service = Control.Forwarder.Descriptor,
            Reads = [nameof(GetStatus), nameof(WatchStatus), nameof(ListDeadLetters), nameof(GetDeadLetter), nameof(InspectJournal)],
            Map = endpoints => endpoints.MapGrpcService<ForwarderControl>(),
        };

    public override Task<ForwarderStatus> GetStatus(GetForwarderStatusRequest request, ServerCallContext context) =>
        Task.FromResult(report.Now());

    public override Task WatchStatus(
        WatchForwarderStatusRequest request,
        IServerStreamWriter<ForwarderStatus> responseStream,
        ServerCallContext context
    ) => watch.RunAsync(request.Every, report.Now, ForwarderReport.WithoutTime, responseStream, context);

    public override async Task<FlushResponse> Flush(FlushRequest request, ServerCallContext context)
    {
        var changed = services.Pause.Changed;
        ThrowIfPaused();
        var waiting = services.Slots.Select(slot => (slot.Flushes, slot.Journal.BacklogReadings));
        await calls.UntilStopAsync(
            context,
            async cancellationToken =>
            {
                using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, changed);
                try
                {
                    await Task.WhenAll(waiting.Select(slot => slot.Flushes.WaitAsync(end.Token)));
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    ThrowIfPaused();
                    throw Again("Delivery was paused and resumed meanwhile");
                }
                catch (ObjectDisposedException)
                {
                    throw Again("A slot was closed meanwhile; another replica has adopted it, or this one opens it again");
                }
            }
        );
        return new FlushResponse { Readings = (ulong)waiting.Sum(slot => slot.BacklogReadings) };
    }

    public override Task<PauseResponse> Pause(PauseRequest request, ServerCallContext context)
    {
        if (request.Reason.Length > PauseSwitch.MostReason)
            throw ControlErrors.Invalid(
                ("reason", $"It has {request.Reason.Length} characters; it must have at most {PauseSwitch.MostReason}.")
            );
        WithDisk(() => services.Pause.Pause(OneLine(request.Reason)));
        return Task.FromResult(new PauseResponse());
    }

    public override Task<ResumeResponse> Resume(ResumeRequest request, ServerCallContext context)
    {
        var wasPaused = false;
        WithDisk(() => wasPaused = services.Pause.Resume());
        return Task.FromResult(new ResumeResponse { WasPaused = wasPaused });
    }

    public override async Task<ListDeadLettersResponse> ListDeadLetters(ListDeadLettersRequest request, ServerCallContext context) =>
        await WithDiskAsync(() => Task.FromResult(letters.List(request)));

    public override async Task<Control.DeadLetter> GetDeadLetter(GetDeadLetterRequest request, ServerCallContext context) =>
        await WithDiskAsync(() => Task.FromResult(letters.Get(request.Id)));

    public override Task<ReplayDeadLettersResponse> ReplayDeadLetters(ReplayDeadLettersRequest request, ServerCallContext context) =>
        WithDiskAsync(() => letters.ReplayAsync(request, context.CancellationToken));

    public override async Task<InspectJournalResponse> InspectJournal(InspectJournalRequest request, ServerCallContext context)
    {
        InspectJournalResponse? response = null;
        await calls.UntilStopAsync(
            context,
            cancellationToken =>
                WithDiskAsync(() => Task.Run(() => response = journals.Inspect(request.Verify, cancellationToken), cancellationToken))
        );
        return response!;
    }

    void ThrowIfPaused()
    {
        if (services.Pause.Current is { } paused)
            throw ControlErrors.Precondition("PAUSED", "delivery", $"Delivery is {paused.Text}. Resume it first, then flush.");
    }

    static RpcException Again(string what) =>
        ControlErrors.Because(StatusCode.Unavailable, "CALL_AGAIN", $"{what}; call again to wait for the rest.");

    /// <summary>The log and /readyz show the reason on one line.</summary>
    static string OneLine(string text) => string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter)).Trim();

    static void WithDisk(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            throw DiskRefused(e);
        }
    }

    static async Task<T> WithDiskAsync<T>(Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            throw DiskRefused(e);
        }
    }

    static RpcException DiskRefused(Exception e) =>
        ControlErrors.Because(
            StatusCode.Unavailable,
            "DISK",
            $"The data volume refuses: {e.Message.TrimEnd('.')}. Free space there or look at the disk (dmesg), then call again."
        );
}
