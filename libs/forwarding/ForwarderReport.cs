using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>What a forwarder reports about itself by gRPC, from the figures that <c>/status</c> shows. Thread-safe.</summary>
/// <param name="facts">Of the service itself.</param>
/// <param name="services">What the slots share.</param>
/// <param name="cost">What was sent.</param>
sealed class ForwarderReport(ServiceFacts facts, SlotServices services, CostBook cost)
{
    /// <summary>At this moment.</summary>
    public ForwarderStatus Now()
    {
        var metrics = services.Metrics;
        var slots = services.Slots.Select(Describe);
        var status = new ForwarderStatus
        {
            Info = facts.Now(),
            Paused = services.Pause.Current is not null,
            Slots = { slots },
            ReadingsIn = (ulong)metrics.ReceivedTotal,
            ReadingsStored = (ulong)metrics.StoredTotal,
            Duplicates = (ulong)metrics.DuplicateTotal,
            ReadingsCommitted = (ulong)metrics.CommittedTotal,
            ReadingsPerSecond = Math.Round(metrics.CommittedPerSecond, 2),
            BacklogReadings = slots.Aggregate(0UL, (sum, slot) => sum + slot.BacklogReadings),
            Lag = slots.Max(slot => slot.Lag?.ToTimeSpan()) is { } lag ? Duration.FromTimeSpan(lag) : null,
            JournalBytes = slots.Aggregate(0UL, (sum, slot) => sum + slot.JournalBytes),
            DeadLetters = (ulong)services.DeadLetters.Kept,
            Errors = (ulong)metrics.FailedTotal,
            Cost = Cost(),
        };
        if (metrics.LastFailure is { } failure)
            status.LastError = new Problem
            {
                At = Timestamp.FromDateTimeOffset(failure.At),
                Code = failure.Needs.ToString(),
                Message = failure.Message,
                Fix =
                    failure.Needs == SinkFailure.NeedsOperator
                        ? $"docker compose exec {status.Info.Service} {status.Info.Service} check names the cause and the fix"
                        : "",
            };
        foreach (var (deviceId, at, readings) in services.Devices.List())
        {
            status.Devices.Add(
                new DeviceStatus
                {
                    DeviceId = deviceId,
                    Kind = Topics.Name(services.Options.Kind),
                    LastReceived = Timestamp.FromDateTimeOffset(at),
                    Readings = (ulong)readings,
                }
            );
        }
        return status;
    }

    /// <summary>A status without the fields that change merely as time passes, so that watchers only hear of other changes. Changes the
    /// argument.</summary>
    public static ForwarderStatus WithoutTime(ForwarderStatus status)
    {
        status.Info.Time = null;
        status.Lag = null;
        foreach (var slot in status.Slots)
            (slot.Lag, slot.LossAge) = (null, null);
        if (status.Cost is { } cost)
            (cost.CountedDays, cost.UsdPerDay, cost.CreditsPerDay, cost.BilledBytesPerDay, cost.RequestsPerDay, cost.OtherRoadUsdPerDay) = (
                0,
                0,
                0,
                0,
                0,
                0
            );
        return status;
    }

    static SlotStatus Describe(Slot slot) =>
        new()
        {
            Name = slot.Name,
            Epoch = slot.Journal.Epoch,
            CommittedOffset = (ulong)slot.Journal.CommittedOffset,
            NextOffset = (ulong)slot.Journal.NextOffset,
            BacklogReadings = (ulong)slot.Journal.BacklogReadings,
            Lag = slot.Journal.OldestUncommittedAge is { } age ? Duration.FromTimeSpan(age) : null,
            JournalBytes = (ulong)slot.Journal.SizeBytes,
            LostReadings = (ulong)slot.Journal.LostReadings,
            Destination = slot.Destination,
            Adopted = slot.IsAdopted,
            LossAge = slot.Journal is { LostReadings: > 0, LossAge: { } ago } ? Duration.FromTimeSpan(ago) : null,
            QuarantinedFiles = (uint)slot.Journal.QuarantinedFiles,
        };

    Cost? Cost()
    {
        var report = cost.Report();
        if (report.Counted.Rows == 0)
            return null;
        return new Cost
        {
            Road = CostReport.NameOf(services.Options.Road),
            UsdPerDay = report.DollarsPerDay,
            CreditsPerDay = report.CreditsPerDay,
            BilledBytesPerDay = report.Counted.BilledBytes / report.CountedDays,
            RequestsPerDay = report.Counted.Requests / report.CountedDays,
            CountedDays = report.CountedDays,
            OtherRoadUsdPerDay = report.OtherPerDay(CostBook.ComparedFiles, CostBook.ComparedLinger).Dollars,
        };
    }
}
