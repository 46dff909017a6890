using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>An agent that says what a test lets it say.</summary>
sealed class FakeAgent : Agent.AgentBase
{
    public AgentStatus Status { get; } =
        new()
        {
            Info = FakeForwarder.Info("sensor-agent", "pi"),
            DeviceId = "pi",
            ReadingsTaken = 7_200,
            ReadingsPublished = 7_190,
            BacklogReadings = 10,
            BacklogAge = Duration.FromTimeSpan(TimeSpan.FromSeconds(4)),
            Clock = ClockState.Synchronised,
        };

    /// <summary>What it was asked to set.</summary>
    public List<SetSamplingRequest> Settings { get; } = [];

    public override Task<AgentStatus> GetStatus(GetAgentStatusRequest request, ServerCallContext context)
    {
        if (Status.Cell is { } cell && cell.Cell != cell.Target && StepsOfAMove-- <= 0)
            (cell.Cell, cell.Progress) = (cell.Target, "");
        return Task.FromResult(Status);
    }

    public override Task<ReadNowResponse> ReadNow(ReadNowRequest request, ServerCallContext context) =>
        Task.FromResult(
            new ReadNowResponse
            {
                Reading = new ThermalReading { TemperatureC = 21.5, Co2Ppm = 1234 },
            }
        );

    public override Task<ListSensorsResponse> ListSensors(ListSensorsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListSensorsResponse { Sensors = { Status.Sensors } });

    public override Task<SelfTestResponse> SelfTest(SelfTestRequest request, ServerCallContext context)
    {
        FakeService.RequireToken(context);
        return Task.FromResult(
            new SelfTestResponse
            {
                Results =
                {
                    new SelfTestResult
                    {
                        SensorId = "scd4x@1:62",
                        Passed = false,
                        Detail = "it found a fault; replace it",
                    },
                },
            }
        );
    }

    /// <summary>Where it was asked to move.</summary>
    public List<MoveToCellRequest> Moves { get; } = [];

    /// <summary>How often it says that it is still moving.</summary>
    public int StepsOfAMove { get; set; }

    public override Task<CellStatus> MoveToCell(MoveToCellRequest request, ServerCallContext context)
    {
        FakeService.RequireToken(context);
        Moves.Add(request);
        Status.Cell.Target = request.Cell;
        Status.Cell.Chosen = request.HasCell;
        Status.Cell.Progress = $"moves to cell {request.Cell}";
        return Task.FromResult(Status.Cell.Clone());
    }

    public override Task<Sampling> SetSampling(SetSamplingRequest request, ServerCallContext context)
    {
        FakeService.RequireToken(context);
        Settings.Add(request);
        return Task.FromResult(
            new Sampling
            {
                Enabled = true,
                Interval = request.Interval ?? Duration.FromTimeSpan(TimeSpan.FromSeconds(5)),
                BatchSize = request.BatchSize > 0 ? request.BatchSize : 10,
                Overridden = !request.Reset,
            }
        );
    }
}
