using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>Answers the gRPC calls of the agent. Thread-safe.</summary>
/// <param name="report">Its status.</param>
/// <param name="watch">Of the status.</param>
/// <param name="feed">Its readings.</param>
/// <param name="readingStreams">Bounds those who watch the readings.</param>
/// <param name="sensors">Its sensors.</param>
/// <param name="now">What they say now.</param>
/// <param name="settings">Interval and batch size.</param>
/// <param name="sensorControl">Tests and calibrates sensors.</param>
/// <param name="calls">Ends calls when the service stops.</param>
sealed class AgentControl(
    AgentReport report,
    StatusWatch watch,
    ReadingFeed feed,
    ControlStreams readingStreams,
    SensorList sensors,
    ReadingNow now,
    SamplingControl settings,
    SensorControl sensorControl,
    ControlStreams calls
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
    )
    {
        ReadingKind? kind = request.Kind.Length == 0 ? null : KindOf(request.Kind);
        return readingStreams.RunAsync(
            context,
            cancellationToken => feed.WatchAsync(kind, taken => responseStream.WriteAsync(taken, cancellationToken), cancellationToken)
        );
    }

    public override Task<ReadNowResponse> ReadNow(ReadNowRequest request, ServerCallContext context) =>
        Task.FromResult(new ReadNowResponse { Reading = now.Take() });

    public override Task<Sampling> SetSampling(SetSamplingRequest request, ServerCallContext context)
    {
        var kind = request.Kind.Length == 0 ? ReadingKind.Thermal : KindOf(request.Kind);
        settings.Set(kind, request);
        return Task.FromResult(report.Rate(kind));
    }

    public override Task<ListSensorsResponse> ListSensors(ListSensorsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListSensorsResponse { Sensors = { sensors.List() } });

    public override async Task<SelfTestResponse> SelfTest(SelfTestRequest request, ServerCallContext context)
    {
        SelfTestResponse? response = null;
        await calls.UntilStopAsync(
            context,
            async cancellationToken =>
                response = await sensorControl.SelfTestAsync(request.SensorId, cancellationToken).WaitAsync(cancellationToken)
        );
        return response!;
    }

    public override async Task<CalibrateResponse> Calibrate(CalibrateRequest request, ServerCallContext context)
    {
        CalibrateResponse? response = null;
        await calls.UntilStopAsync(
            context,
            async cancellationToken =>
                response = await sensorControl
                    .CalibrateAsync(request.SensorId, request.Reference, cancellationToken)
                    .WaitAsync(cancellationToken)
        );
        return response!;
    }

    static ReadingKind KindOf(string name) =>
        name == Topics.Name(ReadingKind.Thermal) ? ReadingKind.Thermal
        : name == Topics.Name(ReadingKind.Inverter) ? ReadingKind.Inverter
        : throw ControlErrors.Invalid(("kind", $"It is '{name}'; it must be 'thermal' or 'inverter'."));
}
