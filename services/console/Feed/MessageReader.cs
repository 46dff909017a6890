using System.Text.Json;
using Google.Protobuf;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Console;

/// <summary>
/// Takes from a message what the page shows: of batches of our agents, and of JSON readings of other senders with the usual keys.
/// </summary>
static class MessageReader
{
    /// <returns>Null for what it cannot read; forwarders make dead letters of that, and say why.</returns>
    public static Message? Read(in MqttMessage message, ReadingKind kind)
    {
        try
        {
            return PayloadFormat.IsJson(message.Payload, message.ContentType, out var body)
                ? JsonMessageReader.Read(body, kind)
                : Read(ReadingBatch.Parser.ParseFrom(message.Payload.Span));
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or JsonException)
        {
            return null;
        }
    }

    static Message Read(ReadingBatch batch)
    {
        var observations = new List<Observation>(batch.Thermal.Count * 6);
        foreach (var reading in batch.Thermal)
        {
            var at = Instant(reading.ObservedAtUs);
            Add(at, Metric.Temperature, reading.HasTemperatureC, reading.TemperatureC);
            Add(at, Metric.Humidity, reading.HasHumidityPercent, reading.HumidityPercent);
            Add(at, Metric.Co2, reading.HasCo2Ppm, reading.Co2Ppm);
            Add(at, Metric.Pressure, reading.HasPressurePa, reading.PressurePa / 100);
            Add(at, Metric.Tvoc, reading.HasTvocPpb, reading.TvocPpb);
            Add(at, Metric.Processor, reading.HasCpuTemperatureC, reading.CpuTemperatureC);
        }
        var inverters = batch.Inverters.Select(reading => new Inverter(
            reading.InverterId,
            Instant(reading.ObservedAtUs),
            reading.HasPacW ? reading.PacW : null,
            reading.HasEnergyOutputKwh ? reading.EnergyOutputKwh : null,
            reading.HasTemperatureC ? reading.TemperatureC : null,
            reading.FaultStatus == FaultStatus.None ? "" : InverterFaults.Text(reading.FaultStatus)
        ));
        var newest = batch.Thermal.LastOrDefault();
        return new Message(
            batch.Thermal.Count + batch.Inverters.Count,
            observations,
            [.. inverters],
            string.Join(',', new[] { batch.Quality, newest?.Quality ?? "" }.Where(quality => quality.Length > 0)),
            newest is { HasUnderVoltage: true, UnderVoltage: true }
        );

        void Add(DateTimeOffset? at, int metric, bool isThere, double value)
        {
            if (isThere && double.IsFinite(value))
                observations.Add(new Observation(at, metric, value));
        }
    }

    static DateTimeOffset? Instant(long microseconds) =>
        microseconds is > 0 and < 253_402_300_800_000_000 ? DateTimeOffset.UnixEpoch.AddMicroseconds(microseconds) : null;
}
