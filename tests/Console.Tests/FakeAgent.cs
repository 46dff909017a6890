using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ThermalStreaming.Control;

namespace ThermalStreaming.Console.Tests;

/// <summary>An agent that says what the test wants.</summary>
sealed class FakeAgent : Agent.AgentBase
{
    readonly DateTimeOffset started = TimeProvider.System.GetUtcNow();

    public AgentStatus Status { get; } =
        new()
        {
            Info = new ServiceInfo
            {
                Service = "sensor-agent",
                Replica = "pi",
                Version = "0.1.0",
                Ready = true,
                Parts = { new Part { Name = "broker" } },
            },
            DeviceId = "pi",
            Thermal = new Sampling
            {
                Enabled = true,
                Interval = Duration.FromTimeSpan(TimeSpan.FromSeconds(10)),
                BatchSize = 20,
            },
            Clock = ClockState.Synchronised,
            Sensors =
            {
                new Sensor { Id = "scd4x@1:62" },
                new Sensor { Id = "icp10125@1:63" },
                new Sensor { Id = "sgp30@1:58" },
            },
        };

    /// <summary>Set by <c>SetSampling</c>.</summary>
    public double IntervalSeconds => Status.Thermal.Interval.ToTimeSpan().TotalSeconds;

    public override Task<AgentStatus> GetStatus(GetAgentStatusRequest request, ServerCallContext context)
    {
        var now = TimeProvider.System.GetUtcNow();
        lock (Status)
        {
            Status.Info.Time = Timestamp.FromDateTimeOffset(now);
            Status.Info.StartedAt = Timestamp.FromDateTimeOffset(started);
            Status.ReadingsTaken = (ulong)(2 * (now - started).TotalSeconds);
            Status.ReadingsPublished = Status.ReadingsTaken;
            return Task.FromResult(Status.Clone());
        }
    }

    public override Task<Sampling> SetSampling(SetSamplingRequest request, ServerCallContext context)
    {
        FakeToken.Demand(context);
        lock (Status)
        {
            Status.Thermal.Interval = request.Interval;
            return Task.FromResult(Status.Thermal.Clone());
        }
    }
}
