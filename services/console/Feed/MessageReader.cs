using System.Text.Json;
using Google.Protobuf;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Console;

/// <summary>
/// Reads from a message what the page shows: batches of our agents, and JSON readings of other senders with the usual keys.
/// </summary>
static class MessageReader
{
    /// <summary>No measurement is larger, in any unit; and sums of such values, as 32-bit floats, can still be drawn.</summary>
    const double LargestValue = 1e12;

    /// <summary>Characters kept of a name or a note: a sender may send as many as fit into a message.</summary>
    const int LongestText = 100;

    /// <returns>Null if it cannot be read; forwarders make a dead letter of it, and say why.</returns>
    public static Message? Read(in MqttMessage message, ReadingKind kind)
    {
        try
        {
            return PayloadFormat.IsJson(message.Payload, message.ContentType, out var body)
                ? JsonMessageReader.Read(body, kind)
                : Read(ReadingBatch.Parser.ParseFrom(message.Payload.Span));
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or JsonException or InvalidOperationException)
        {
            // The last exception: JSON can spell half of a surrogate pair, which a text cannot hold.
            return null;
        }
    }

    /// <summary>A value that the page can show; null for any other.</summary>
    public static double? Shown(double value) => Math.Abs(value) <= LargestValue ? value : null;

    /// <summary>The part of a sender's text that the page shows.</summary>
    public static string Shown(string text) => text.Length <= LongestText ? text : text[..LongestText] + "…";

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
            Shown(reading.InverterId),
            Instant(reading.ObservedAtUs),
            reading.HasPacW ? Shown(reading.PacW) : null,
            reading.HasEnergyOutputKwh ? Shown(reading.EnergyOutputKwh) : null,
            reading.HasTemperatureC ? Shown(reading.TemperatureC) : null,
            reading.FaultStatus == FaultStatus.None ? "" : InverterFaults.Text(reading.FaultStatus)
        ));
        var newest = batch.Thermal.LastOrDefault();
        return new Message(
            batch.Thermal.Count + batch.Inverters.Count,
            observations,
            [.. inverters],
            Shown(string.Join(',', new[] { batch.Quality, newest?.Quality ?? "" }.Where(quality => quality.Length > 0))),
            newest is { HasUnderVoltage: true, UnderVoltage: true }
        );

        void Add(DateTimeOffset? at, int metric, bool isThere, double value)
        {
            if (isThere && Shown(value) is { } shown)
                observations.Add(new Observation(at, metric, shown));
        }
    }

    static DateTimeOffset? Instant(long microseconds) =>
        microseconds is > 0 and < 253_402_300_800_000_000 ? DateTimeOffset.UnixEpoch.AddMicroseconds(microseconds) : null;
}
