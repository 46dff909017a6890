using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// A row as the forwarders write it, turned back into its reading. Whatever belongs to the recording device (device, boot, sequence, host)
/// is left out: the reading becomes one of this device.
/// </summary>
/// <param name="Thermal">The reading if it is thermal, else null.</param>
/// <param name="Inverter">The reading if it is an inverter's, else null.</param>
/// <param name="AtUs">When it was recorded, in microseconds since 1970; null if the row does not say.</param>
readonly record struct RecordedRow(ThermalReading? Thermal, InverterReading? Inverter, long? AtUs)
{
    /// <summary>No forwarder writes longer texts, and a batch of them would not fit into a record of the outbox.</summary>
    const int LongestText = 200;

    /// <summary>Keys of the time; the first one present counts, as at the forwarders' intake.</summary>
    static readonly string[] TimeKeys = ["observed_at", "datetimestamp", "ts"];

    static readonly string[] ThermalTexts = ["diskusage", "quality", "sensors"],
        InverterTexts = ["id", "fault_status", "quality"];

    static readonly Dictionary<string, Action<ThermalReading, double>> ThermalKeys = new()
    {
        ["temperature"] = (reading, value) => reading.TemperatureC = value,
        ["humidity"] = (reading, value) => reading.HumidityPercent = value,
        ["co2"] = (reading, value) => reading.Co2Ppm = value,
        ["pressure"] = (reading, value) => reading.PressurePa = value,
        ["temperatureicp"] = (reading, value) => reading.IcpTemperatureF = value,
        ["equivalentco2ppm"] = (reading, value) => reading.EquivalentCo2Ppm = value,
        ["totalvocppb"] = (reading, value) => reading.TvocPpb = value,
        ["gas_resistance"] = (reading, value) => reading.GasResistanceOhm = value,
        ["cputempf"] = (reading, value) => reading.CpuTemperatureC = (value - 32) * 5 / 9,
        ["cpu"] = (reading, value) => reading.CpuPercent = value,
        ["memory"] = (reading, value) => reading.MemoryPercent = value,
        ["load_1m"] = (reading, value) => reading.LoadAverage = value,
        ["throttled"] = (reading, value) =>
        {
            if (value is >= 0 and <= uint.MaxValue)
                reading.Throttled = (uint)value;
        },
        ["uptime_s"] = (reading, value) =>
        {
            if (value is >= 0 and <= long.MaxValue)
                reading.UptimeS = (ulong)value;
        },
    };

    static readonly Dictionary<string, Action<InverterReading, double>> InverterKeys = new()
    {
        ["PAC"] = (reading, value) => reading.PacW = value,
        ["energy_output"] = (reading, value) => reading.EnergyOutputKwh = value,
        ["energy_conversion_efficiency"] = (reading, value) => reading.EnergyConversionEfficiencyPercent = value,
        ["performance_ratio"] = (reading, value) => reading.PerformanceRatio = value,
        ["system_uptime"] = (reading, value) => reading.SystemUptimePercent = value,
        ["temperature"] = (reading, value) => reading.TemperatureC = value,
        ["input_voltage"] = (reading, value) => reading.InputVoltageV = value,
        ["output_voltage"] = (reading, value) => reading.OutputVoltageV = value,
        ["frequency"] = (reading, value) => reading.FrequencyHz = value,
    };

    /// <summary>Reads a line.</summary>
    /// <param name="kind">The expected kind.</param>
    /// <param name="line">A JSON object.</param>
    /// <param name="row">The reading.</param>
    /// <returns>Null, or why it is not a reading.</returns>
    public static string? Parse(ReadingKind kind, ReadOnlyMemory<byte> line, out RecordedRow row)
    {
        row = default;
        try
        {
            using var document = JsonDocument.Parse(line.Span.StartsWith("\uFEFF"u8) ? line[3..] : line);
            var json = document.RootElement;
            if (json.ValueKind != JsonValueKind.Object)
                return "it is not a JSON object";
            if (Time(json, out var at) is { } problem)
                return problem;
            return kind == ReadingKind.Thermal ? ParseThermal(json, at, out row) : ParseInverter(json, at, out row);
        }
        catch (JsonException e)
        {
            return $"it is not JSON (byte {e.BytePositionInLine})";
        }
        catch (InvalidOperationException)
        {
            // Found only when a text is decoded: bytes that are not UTF-8, and escapes that are half a character.
            row = default;
            return "it is not valid UTF-8";
        }
    }

    /// <summary>Removes the remarks of <c>quality</c> on the recorded time (<c>clock:…</c>): they do not apply to another time.</summary>
    public void ForgetRecordedClock()
    {
        if (Thermal is { HasQuality: true } thermal)
        {
            thermal.Quality = WithoutClock(thermal.Quality);
            if (thermal.Quality.Length == 0)
                thermal.ClearQuality();
        }
        if (Inverter is { HasQuality: true } inverter)
        {
            inverter.Quality = WithoutClock(inverter.Quality);
            if (inverter.Quality.Length == 0)
                inverter.ClearQuality();
        }
    }

    static string WithoutClock(string quality) =>
        string.Join(',', quality.Split(',').Where(entry => !entry.StartsWith("clock:", StringComparison.Ordinal)));

    static string? ParseThermal(JsonElement json, long? at, out RecordedRow row)
    {
        var reading = new ThermalReading();
        row = new(reading, null, at);
        if (TooLong(json, ThermalTexts) is { } text)
            return text;
        if (Values(json, ThermalKeys, reading, out var known) is { } problem)
            return problem;
        if (known == 0)
            return "it has no key of a thermal row";
        if (json.TryGetProperty("diskusage", out var disk) && disk.ValueKind == JsonValueKind.String)
        {
            var number = disk.GetString()!.Split(' ')[0];
            if (ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var free))
                reading.DiskFreeMb = free;
        }
        if (json.TryGetProperty("under_voltage", out var isUnder) && isUnder.ValueKind is JsonValueKind.True or JsonValueKind.False)
            reading.UnderVoltage = isUnder.GetBoolean();
        if (Text(json, "quality") is { Length: > 0 } quality)
            reading.Quality = quality;
        reading.Sensors = Replayed(Text(json, "sensors"));
        return null;
    }

    static string? ParseInverter(JsonElement json, long? at, out RecordedRow row)
    {
        row = default;
        if (TooLong(json, InverterTexts) is { } text)
            return text;
        var reading = new InverterReading { InverterId = Text(json, "id") ?? "" };
        row = new(null, reading, at);
        if (reading.InverterId.Length == 0)
            return "it has no id of an inverter";
        if (Values(json, InverterKeys, reading, out var known) is { } problem)
            return problem;
        if (known == 0)
            return "it has no value of an inverter row";
        if (Text(json, "quality") is { Length: > 0 } quality)
            reading.Quality = quality;
        reading.FaultStatus = InverterFaults.Parse(Text(json, "fault_status") ?? "") ?? InverterFaults.Derive(reading);
        return null;
    }

    /// <summary>Sets the values; a null value stays absent.</summary>
    static string? Values<T>(JsonElement json, Dictionary<string, Action<T, double>> keys, T reading, out int known)
    {
        known = 0;
        foreach (var property in json.EnumerateObject())
        {
            if (!keys.TryGetValue(property.Name, out var set))
                continue;
            known++;
            if (property.Value.ValueKind == JsonValueKind.Null)
                continue;
            if (Number(property.Value) is not { } value)
                return $"{property.Name} is not a number";
            set(reading, value);
        }
        return null;
    }

    /// <summary>Accepts numbers, and texts that contain one.</summary>
    static double? Number(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Number when value.TryGetDouble(out var number) && double.IsFinite(number) => number,
            JsonValueKind.String
                when double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                    && double.IsFinite(number) => number,
            _ => null,
        };

    static string? Text(JsonElement json, string key) =>
        json.TryGetProperty(key, out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Number
            ? value.ToString()
            : null;

    static string? TooLong(JsonElement json, string[] keys) =>
        Array.Find(keys, key => Text(json, key)?.Length > LongestText) is { } found
            ? $"{found} is longer than {LongestText} characters"
            : null;

    static string? Time(JsonElement json, out long? at)
    {
        at = null;
        foreach (var key in TimeKeys)
        {
            if (!json.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null)
                continue;
            if (!ReadingTime.TryParse(JsonMarshal.GetRawUtf8Value(value), out var time))
                return $"{key} is not a time; {ReadingTime.AcceptedForms}";
            at ??= time.Microseconds;
        }
        return null;
    }

    /// <summary>So that nobody mistakes a replayed value for one from a sensor of this machine.</summary>
    static string Replayed(string? sensors)
    {
        var marked = string.Join(
            ',',
            (sensors ?? "")
                .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(name => $"replayed-{name}")
        );
        return marked.Length is 0 or > LongestText ? "replayed" : marked;
    }
}
