using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>Checks a requested interval and batch size, and sets them. Thread-safe.</summary>
/// <param name="options">Say what is sampled.</param>
/// <param name="plan">Stores the settings.</param>
sealed class SamplingControl(AgentOptions options, SamplingPlan plan)
{
    /// <summary>The change is durable when the call returns.</summary>
    /// <exception cref="RpcException">
    /// INVALID_ARGUMENT, FAILED_PRECONDITION, or UNAVAILABLE where the disk refuses; nothing has changed.
    /// </exception>
    public void Set(ReadingKind kind, SetSamplingRequest request)
    {
        if (!options.IsSampled(kind))
            throw ControlErrors.Precondition(
                "SAMPLING",
                Topics.Name(kind),
                $"This agent takes no {Topics.Name(kind)} readings at an interval: it replays recorded ones, or takes none "
                    + "(SOURCE, INVERTER_SOURCE, INVERTERS_NUM)."
            );
        var interval = Check(kind, request);
        try
        {
            if (request.Reset)
                plan.Reset(kind);
            else
                plan.Set(kind, interval, request.BatchSize == 0 ? null : (int)request.BatchSize);
        }
        catch (Exception e) when (DiskError.IsFileProblem(e))
        {
            throw ControlErrors.Because(
                StatusCode.Unavailable,
                "DISK",
                $"The setting cannot be saved, so it was not changed: {e.Message.TrimEnd('.')}. Free space on the data volume or look "
                    + "at the disk (dmesg), then call again."
            );
        }
    }

    /// <summary>How readings of a kind are taken now.</summary>
    public Sampling Rate(ReadingKind kind)
    {
        if (!options.IsSampled(kind))
            return new Sampling { Enabled = kind == ReadingKind.Thermal || options.TakesInverters };
        var rate = plan.Current(kind).Rate;
        return new Sampling
        {
            Enabled = true,
            Interval = Duration.FromTimeSpan(rate.Interval),
            BatchSize = (uint)rate.BatchSize,
            Overridden = rate.IsOverridden,
        };
    }

    /// <returns>The interval; null: unchanged.</returns>
    static TimeSpan? Check(ReadingKind kind, SetSamplingRequest request)
    {
        List<(string, string)> problems = [];
        TimeSpan? interval = null;
        if (request.Interval is { } asked)
        {
            if (
                ControlDuration.TryRead(asked, out var read)
                && read >= SamplingPlan.Shortest
                && read <= SamplingPlan.Longest
                && read.Ticks % TimeSpan.TicksPerMillisecond == 0
            )
                interval = read;
            else
                problems.Add(("interval", "It must be 0.1 s to 1 day, in whole milliseconds."));
        }
        if (request.BatchSize > SamplingPlan.MostInBatch)
            problems.Add(
                (
                    "batch_size",
                    string.Create(CultureInfo.InvariantCulture, $"It is {request.BatchSize}; it must be 1 to {SamplingPlan.MostInBatch}.")
                )
            );
        if (request.BatchSize > 0 && kind == ReadingKind.Inverter)
            problems.Add(("batch_size", "A batch of inverters has all of them (INVERTERS_NUM); leave it out."));
        if (request.Reset && (request.Interval is not null || request.BatchSize > 0))
            problems.Add(("reset", "It must be alone, without interval and batch_size."));
        if (!request.Reset && request.Interval is null && request.BatchSize == 0)
            problems.Add(("interval", "There is nothing to set; give interval, batch_size or reset."));
        return problems.Count == 0 ? interval : throw ControlErrors.Invalid(problems);
    }
}
