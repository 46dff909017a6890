using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>A forwarder that says what a test lets it say.</summary>
sealed class FakeForwarder(string service = "snowpipe-forwarder", string replica = "one") : Forwarder.ForwarderBase
{
    public static readonly DateTimeOffset Now = new(2026, 11, 20, 10, 0, 0, TimeSpan.Zero);

    public ForwarderStatus Status { get; } =
        new()
        {
            Info = Info(service, replica),
            ReadingsStored = 7_000,
            ReadingsCommitted = 6_990,
            ReadingsPerSecond = 2,
            BacklogReadings = 10,
            Lag = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)),
        };

    public List<DeadLetter> Letters { get; } = [];

    public List<JournalStatus> Journals { get; } = [];

    /// <summary>It takes calls and answers none, like a process that is frozen.</summary>
    public bool IsFrozen { get; set; }

    /// <summary>A flush takes until the caller gives up.</summary>
    public bool FlushHangs { get; set; }

    public List<string> Pauses { get; } = [];

    public List<ReplayDeadLettersRequest> Replays { get; } = [];

    public static ServiceInfo Info(string service, string replica) =>
        new()
        {
            Service = service,
            Replica = replica,
            Version = "0.1.0",
            StartedAt = Timestamp.FromDateTimeOffset(Now - TimeSpan.FromHours(1)),
            Time = Timestamp.FromDateTimeOffset(Now),
            Ready = true,
        };

    public override async Task<ForwarderStatus> GetStatus(GetForwarderStatusRequest request, ServerCallContext context)
    {
        if (IsFrozen)
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken);
        return Status;
    }

    public override Task<PauseResponse> Pause(PauseRequest request, ServerCallContext context)
    {
        FakeService.RequireToken(context);
        Pauses.Add(request.Reason);
        Status.Paused = true;
        return Task.FromResult(new PauseResponse());
    }

    public override Task<ResumeResponse> Resume(ResumeRequest request, ServerCallContext context)
    {
        FakeService.RequireToken(context);
        var wasPaused = Status.Paused;
        Status.Paused = false;
        return Task.FromResult(new ResumeResponse { WasPaused = wasPaused });
    }

    public override async Task<FlushResponse> Flush(FlushRequest request, ServerCallContext context)
    {
        FakeService.RequireToken(context);
        if (Status.Paused)
            throw new RpcException(new Status(StatusCode.FailedPrecondition, "Delivery is paused; resume it first."));
        if (FlushHangs)
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken);
        return new FlushResponse { Readings = Status.BacklogReadings };
    }

    public override Task<ListDeadLettersResponse> ListDeadLetters(ListDeadLettersRequest request, ServerCallContext context) =>
        Task.FromResult(
            new ListDeadLettersResponse
            {
                Letters = { Letters.Take(request.PageSize) },
                NextPageToken = Letters.Count > request.PageSize ? "more" : "",
            }
        );

    public override Task<DeadLetter> GetDeadLetter(GetDeadLetterRequest request, ServerCallContext context) =>
        Letters.Find(letter => letter.Id == request.Id) is { } found
            ? Task.FromResult(new DeadLetter(found) { Payload = ByteString.CopyFromUtf8("{\"temperature\": 1e999}") })
            : throw new RpcException(new Status(StatusCode.NotFound, $"There is no dead letter {request.Id}; list shows those there are."));

    public override Task<ReplayDeadLettersResponse> ReplayDeadLetters(ReplayDeadLettersRequest request, ServerCallContext context)
    {
        FakeService.RequireToken(context);
        Replays.Add(request);
        return Task.FromResult(
            new ReplayDeadLettersResponse { Queued = (ulong)(request.Ids.Count > 0 ? request.Ids.Count : Letters.Count) }
        );
    }

    public override Task<InspectJournalResponse> InspectJournal(InspectJournalRequest request, ServerCallContext context) =>
        Task.FromResult(new InspectJournalResponse { Journals = { Journals } });
}
