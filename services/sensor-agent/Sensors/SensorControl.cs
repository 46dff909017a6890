using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SensorAgent;

/// <summary>Tests and calibrates sensors for gRPC calls. Thread-safe.</summary>
/// <param name="list">The sensors that were found.</param>
/// <param name="hardware">Null: no real sensors are read.</param>
sealed class SensorControl(SensorList list, HardwareSensors? hardware)
{
    /// <summary>Tests one sensor, or all of them one after the other: two at once could draw more than a weak supply gives.</summary>
    /// <exception cref="RpcException">NOT_FOUND, or FAILED_PRECONDITION where no sensor was found.</exception>
    public async Task<SelfTestResponse> SelfTestAsync(string id, CancellationToken cancellationToken)
    {
        var sensors = id.Length > 0 ? [Find(id)] : list.List();
        if (sensors.Count == 0)
            throw ControlErrors.Precondition("SENSORS", "SOURCE", "This agent has found no sensor: see docs/hardware.md, or SOURCE.");
        var response = new SelfTestResponse();
        foreach (var sensor in sensors)
            response.Results.Add(await TestAsync(sensor, cancellationToken));
        return response;
    }

    /// <summary>Calibrates a sensor.</summary>
    /// <exception cref="RpcException">NOT_FOUND, UNIMPLEMENTED, INVALID_ARGUMENT, or FAILED_PRECONDITION.</exception>
    public async Task<CalibrateResponse> CalibrateAsync(string id, double reference, CancellationToken cancellationToken)
    {
        var sensor = Find(id);
        if (hardware?.Sensors.FirstOrDefault(status => status.Id == id)?.Calibration is not { } calibration)
            throw ControlErrors.Because(
                StatusCode.Unimplemented,
                "NO_CALIBRATION",
                $"{id} ({sensor.Description}) cannot be calibrated; ListSensors says which can."
            );
        if (!(reference >= calibration.Least && reference <= calibration.Most))
            throw ControlErrors.Invalid(("reference", $"It must be {calibration}."));
        var result = await hardware.CalibrateAsync(id, reference, cancellationToken);
        if (!result.Has(out var correction, out var error))
            throw ControlErrors.Precondition("CALIBRATION", id, $"{error.Text}.");
        return new CalibrateResponse { Correction = correction };
    }

    Sensor Find(string id) =>
        list.List().FirstOrDefault(sensor => sensor.Id == id)
        ?? throw ControlErrors.NotFound("sensor", id, $"There is no sensor '{id}'; ListSensors names those that were found.");

    async Task<SelfTestResult> TestAsync(Sensor sensor, CancellationToken cancellationToken)
    {
        var outcome =
            hardware is not null && hardware.Sensors.Any(status => status.Id == sensor.Id)
                ? await hardware.SelfTestAsync(sensor.Id, cancellationToken)
                : "it is simulated, so there is nothing to test";
        return new SelfTestResult
        {
            SensorId = sensor.Id,
            Passed = outcome.Error is null,
            Detail = outcome.Error?.Text ?? outcome.Value!,
        };
    }
}
