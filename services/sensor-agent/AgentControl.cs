using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>Answers the gRPC calls of the agent. Thread-safe.</summary>
/// <param name="report">The agent's status.</param>
/// <param name="watch">Streams the status.</param>
/// <param name="readings">Streams the readings.</param>
/// <param name="now">Reads the sensors on request.</param>
/// <param name="sampling">Interval and batch size.</param>
/// <param name="sensors">Tests and calibrates the sensors.</param>
/// <param name="cells">Moves the device.</param>
sealed class AgentControl(
    AgentReport report,
    StatusWatch watch,
    ReadingWatch readings,
    ReadingNow now,
    SamplingControl sampling,
    SensorCalls sensors,
    CellControl cells
) : Control.Agent.AgentBase
{
    /// <summary>For the definition of the service.</summary>
    public static ControlDefinition Definition { get; } =
        new()
        {
            Service = Control.Agent.Descriptor,
            Reads = [nameof(GetStatus), nameof(WatchStatus), nameof(ReadNow), nameof(WatchReadings), nameof(ListSensors)],
            Map = endpoints => endpoints.MapGrpcService<AgentControl>(),
        };

    public override Task<AgentStatus> GetStatus(GetAgentStatusRequest request, ServerCallContext context) => Task.FromResult(report.Now());

    public override Task WatchStatus(
        WatchAgentStatusRequest request,
        IServerStreamWriter<AgentStatus> responseStream,
        ServerCallContext context
    ) => watch.RunAsync(request.Every, report.Now, AgentReport.WithoutTime, responseStream, context);

    public override Task WatchReadings(
        WatchReadingsRequest request,
        IServerStreamWriter<TakenReadings> responseStream,
        ServerCallContext context
    ) => readings.RunAsync(request.Kind.Length == 0 ? null : KindOf(request.Kind), responseStream, context);

    public override Task<ReadNowResponse> ReadNow(ReadNowRequest request, ServerCallContext context) =>
        Task.FromResult(new ReadNowResponse { Reading = now.Take() });

    public override Task<Sampling> SetSampling(SetSamplingRequest request, ServerCallContext context)
    {
        var kind = request.Kind.Length == 0 ? ReadingKind.Thermal : KindOf(request.Kind);
        sampling.Set(kind, request);
        return Task.FromResult(sampling.Rate(kind));
    }

    public override Task<ListSensorsResponse> ListSensors(ListSensorsRequest request, ServerCallContext context) =>
        Task.FromResult(sensors.List());

    public override Task<SelfTestResponse> SelfTest(SelfTestRequest request, ServerCallContext context) =>
        sensors.SelfTestAsync(request.SensorId, context);

    public override Task<CalibrateResponse> Calibrate(CalibrateRequest request, ServerCallContext context) =>
        sensors.CalibrateAsync(request.SensorId, request.Reference, context);

    public override Task<CellStatus> MoveToCell(MoveToCellRequest request, ServerCallContext context) =>
        Task.FromResult(cells.Move(request));

    static ReadingKind KindOf(string name) =>
        name == Topics.Name(ReadingKind.Thermal) ? ReadingKind.Thermal
        : name == Topics.Name(ReadingKind.Inverter) ? ReadingKind.Inverter
        : throw ControlErrors.Invalid(("kind", $"It is '{name}'; it must be 'thermal' or 'inverter'."));
}
