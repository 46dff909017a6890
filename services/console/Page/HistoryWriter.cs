using System.Text.Json;

namespace ThermalStreaming.Console;

/// <summary>Writes what the charts of a device need: the last five minutes and the last 24 hours.</summary>
static class HistoryWriter
{
    /// <param name="json">The output.</param>
    /// <param name="devices">The source.</param>
    /// <param name="id">The device; empty: the power of all devices together.</param>
    /// <param name="clock">Gives the current time.</param>
    public static void Write(Utf8JsonWriter json, DeviceBook devices, string id, TimeProvider clock)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        json.WriteStartObject();
        json.WriteNumber("step"u8, LiveRing.Step);
        json.WriteStartObject("live"u8);
        if (id.Length > 0)
            devices.Read(id, device => WriteLive(json, device, now));
        json.WriteEndObject();
        json.WriteStartObject("day"u8);
        if (id.Length > 0)
            devices.Read(id, device => WriteDay(json, device, now / 60));
        else
            WritePower(json, devices, now / 60);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    static bool WriteLive(Utf8JsonWriter json, Device? device, long now)
    {
        for (var i = 0; device is not null && i < Metric.Count; i++)
        {
            if (device.Live[i] is not { } ring)
                continue;
            json.WriteStartArray(Metric.All[i].Id);
            foreach (var (second, value) in ring.Until(now))
            {
                json.WriteNumberValue(second);
                WriteRounded(json, value);
            }
            json.WriteEndArray();
        }
        return true;
    }

    static bool WriteDay(Utf8JsonWriter json, Device? device, long minute)
    {
        for (var i = 0; device is not null && i < Metric.Count; i++)
        {
            if (device.Minutes[i] is { } ring)
                WriteDay(json, Metric.All[i].Id, ring.Between(minute + 1 - MinuteRing.Length, minute + 1));
        }
        return true;
    }

    static void WritePower(Utf8JsonWriter json, DeviceBook devices, long minute)
    {
        var all = devices.Read(all =>
            all.Select(device => device.Minutes[Metric.Power])
                .OfType<MinuteRing>()
                .SelectMany(ring => ring.Between(minute + 1 - MinuteRing.Length, minute + 1))
                .ToList()
        );
        WriteDay(
            json,
            Metric.All[Metric.Power].Id,
            all.GroupBy(value => value.Minute)
                .OrderBy(group => group.Key)
                .Select(group => new MinuteValue(
                    group.Key,
                    group.Sum(value => value.Least),
                    group.Sum(value => value.Mean),
                    group.Sum(value => value.Greatest)
                ))
        );
    }

    static void WriteDay(Utf8JsonWriter json, string metric, IEnumerable<MinuteValue> values)
    {
        json.WriteStartArray(metric);
        foreach (var value in values)
        {
            json.WriteNumberValue(value.Minute);
            WriteRounded(json, value.Least);
            WriteRounded(json, value.Mean);
            WriteRounded(json, value.Greatest);
        }
        json.WriteEndArray();
    }

    static void WriteRounded(Utf8JsonWriter json, float value) =>
        json.WriteNumberValue(Math.Round((decimal)Math.Clamp(value, -1e12f, 1e12f), 2));
}
