using Grpc.Core;
using Grpc.Health.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace ThermalStreaming.Hosting;

/// <summary>grpc.health.v1: the service, by its gRPC name or "", is serving while <c>/readyz</c> says that it is ready.
/// Thread-safe.</summary>
/// <param name="definition">Names the gRPC service.</param>
/// <param name="health">Of the service.</param>
/// <param name="streams">Bounds the watchers.</param>
/// <param name="clock">Where time comes from.</param>
sealed class ControlHealth(ControlDefinition definition, Health health, ControlStreams streams, TimeProvider clock)
    : Grpc.Health.V1.Health.HealthBase
{
    static readonly TimeSpan interval = TimeSpan.FromSeconds(1);

    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) =>
        Now(request.Service) is not ServingStatus.ServiceUnknown and var status
            ? Task.FromResult(new HealthCheckResponse { Status = status })
            : throw ControlErrors.NotFound(
                "service",
                request.Service,
                $"There is no service '{request.Service}'; ask for '{definition.Service.FullName}' or ''."
            );

    public override Task Watch(
        HealthCheckRequest request,
        IServerStreamWriter<HealthCheckResponse> responseStream,
        ServerCallContext context
    ) =>
        streams.RunAsync(
            context,
            async cancellationToken =>
            {
                ServingStatus? last = null;
                while (true)
                {
                    var status = Now(request.Service);
                    if (status != last)
                        await responseStream.WriteAsync(new HealthCheckResponse { Status = status }, cancellationToken);
                    last = status;
                    await Task.Delay(interval, clock, cancellationToken);
                }
            }
        );

    ServingStatus Now(string service) =>
        service.Length > 0 && service != definition.Service.FullName ? ServingStatus.ServiceUnknown
        : health.IsReady ? ServingStatus.Serving
        : ServingStatus.NotServing;
}
