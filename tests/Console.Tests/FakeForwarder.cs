using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ThermalStreaming.Control;

namespace ThermalStreaming.Console.Tests;

/// <summary>A forwarder that says what the test wants.</summary>
sealed class FakeForwarder : Forwarder.ForwarderBase
{
    readonly DateTimeOffset started = TimeProvider.System.GetUtcNow();
    TaskCompletionSource? frozen;

    public FakeForwarder(string service, string replica)
    {
        Status = new ForwarderStatus
        {
            Info = new ServiceInfo
            {
                Service = service,
                Replica = replica,
                Version = "0.1.0",
                Ready = true,
                Parts =
                {
                    new Part { Name = "delivery slot-0" },
                    new Part { Name = "mqtt slot-0" },
                },
            },
            ReadingsPerSecond = 2,
            ReadingsCommitted = 172_800,
            JournalBytes = 1_048_576,
            Slots =
            {
                new SlotStatus { Name = "slot-0", Destination = "DEMO.DEMO.THERMAL_SENSOR_PIPE" },
            },
            Cost = new Cost
            {
                Road = service == "s3-forwarder" ? "files" : "streaming",
                UsdPerDay = 0.13,
                CreditsPerDay = 0.0433,
                OtherRoadUsdPerDay = 0.31,
                CountedDays = 3,
            },
        };
    }

    public ForwarderStatus Status { get; }

    /// <summary>How often all letters were replayed.</summary>
    public int Replays { get; private set; }

    /// <summary>Oldest first; locked by the status.</summary>
    public List<DeadLetter> Letters { get; } = [];

    /// <summary>Adds a dead letter, newer than those before.</summary>
    public void Keep(string origin, string topic, string reason, uint readings = 0)
    {
        lock (Status)
        {
            Letters.Add(
                new DeadLetter
                {
                    Id = $"bGV0dGVy-{Letters.Count + 1}-MjAyNjExMjlUMDgxNTAwMTIzLTFmMmUzZDRjLXVucmVhZC01ZTZmN2E4Yi5uZGpzb24",
                    At = Timestamp.FromDateTimeOffset(started.AddMinutes(Letters.Count - 200)),
                    Origin = origin,
                    Topic = topic,
                    Reason = reason,
                    Readings = readings,
                    PayloadBytes = 120,
                }
            );
            Status.DeadLetters = (ulong)Letters.Count;
        }
    }

    /// <summary>Takes questions and answers none, as a stopped process does.</summary>
    public void Freeze() => frozen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw() => frozen?.SetResult();

    public override async Task<ForwarderStatus> GetStatus(GetForwarderStatusRequest request, ServerCallContext context)
    {
        if (frozen is { } ice)
            await ice.Task.WaitAsync(context.CancellationToken);
        lock (Status)
        {
            Status.Info.Time = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow());
            Status.Info.StartedAt = Timestamp.FromDateTimeOffset(started);
            return Status.Clone();
        }
    }

    public override Task<PauseResponse> Pause(PauseRequest request, ServerCallContext context)
    {
        FakeToken.Demand(context);
        lock (Status)
            Status.Paused = true;
        return Task.FromResult(new PauseResponse());
    }

    public override Task<ResumeResponse> Resume(ResumeRequest request, ServerCallContext context)
    {
        FakeToken.Demand(context);
        lock (Status)
        {
            var was = Status.Paused;
            Status.Paused = false;
            return Task.FromResult(new ResumeResponse { WasPaused = was });
        }
    }

    public override Task<FlushResponse> Flush(FlushRequest request, ServerCallContext context)
    {
        FakeToken.Demand(context);
        return Task.FromResult(new FlushResponse { Readings = 5 });
    }

    public override Task<ReplayDeadLettersResponse> ReplayDeadLetters(ReplayDeadLettersRequest request, ServerCallContext context)
    {
        FakeToken.Demand(context);
        lock (Status)
        {
            // Ids of letters that are gone, and letters about files, are left out, as the protocol says.
            var queued = Letters.RemoveAll(letter =>
                letter.Origin != "unloaded" && (request.Ids.Count == 0 || request.Ids.Contains(letter.Id))
            );
            Replays += request.Ids.Count == 0 ? 1 : 0;
            Status.DeadLetters = (ulong)Letters.Count;
            return Task.FromResult(new ReplayDeadLettersResponse { Queued = (ulong)queued });
        }
    }

    public override Task<ListDeadLettersResponse> ListDeadLetters(ListDeadLettersRequest request, ServerCallContext context)
    {
        lock (Status)
        {
            var letters = request.NewestFirst ? Letters.AsEnumerable().Reverse() : Letters;
            return Task.FromResult(new ListDeadLettersResponse { Letters = { letters.Take(request.PageSize) } });
        }
    }
}
