using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SensorAgent;

/// <summary>Answers the gRPC calls about sensors. Thread-safe.</summary>
/// <param name="list">The sensors that were found.</param>
/// <param name="control">Tests and calibrates them.</param>
/// <param name="calls">Ends calls when the service stops; a test or calibration that has begun continues.</param>
sealed class SensorCalls(SensorList list, SensorControl control, ControlStreams calls)
{
    public ListSensorsResponse List() => new() { Sensors = { list.List() } };

    /// <exception cref="RpcException">As <see cref="SensorControl.SelfTestAsync"/>.</exception>
    public Task<SelfTestResponse> SelfTestAsync(string id, ServerCallContext context) =>
        AnswerAsync(context, cancellationToken => control.SelfTestAsync(id, cancellationToken));

    /// <exception cref="RpcException">As <see cref="SensorControl.CalibrateAsync"/>.</exception>
    public Task<CalibrateResponse> CalibrateAsync(string id, double reference, ServerCallContext context) =>
        AnswerAsync(context, cancellationToken => control.CalibrateAsync(id, reference, cancellationToken));

    async Task<T> AnswerAsync<T>(ServerCallContext context, Func<CancellationToken, Task<T>> answer)
    {
        T? response = default;
        await calls.UntilStopAsync(
            context,
            async cancellationToken => response = await answer(cancellationToken).WaitAsync(cancellationToken)
        );
        return response!;
    }
}
