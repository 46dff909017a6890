namespace ThermalStreaming.Readings;

/// <summary>What a field may hold. Null is always allowed.</summary>
enum JsonType { Text, Number, TextOrNumber }

/// <summary>A key that the rows have.</summary>
sealed record JsonField(RowKey Key, JsonType Type);

/// <summary>The fields of one kind of row, in the row's order, and which of them say what a reading is.</summary>
sealed class JsonFields
{
    public static readonly JsonFields Thermal = new(
    [
        new(ThermalRow.Uuid, JsonType.Text), new(ThermalRow.RowId, JsonType.Text), new(ThermalRow.IpAddress, JsonType.Text), new(ThermalRow.MacAddress, JsonType.Text),
        new(ThermalRow.HostKey, JsonType.Text), new(ThermalRow.HostName, JsonType.Text), new(ThermalRow.LocalHostName, JsonType.Text),
        new(ThermalRow.CpuTempF, JsonType.Number), new(ThermalRow.Runtime, JsonType.Number), new(ThermalRow.SystemTime, JsonType.Text), new(ThermalRow.StartTime, JsonType.Text),
        new(ThermalRow.EndTime, JsonType.TextOrNumber), new(ThermalRow.Te, JsonType.TextOrNumber), new(ThermalRow.Ts, JsonType.Number), new(ThermalRow.DateTimeStamp, JsonType.Text),
        new(ThermalRow.Cpu, JsonType.Number), new(ThermalRow.Memory, JsonType.Number), new(ThermalRow.DiskUsage, JsonType.Text),
        new(ThermalRow.Temperature, JsonType.Number), new(ThermalRow.Humidity, JsonType.Number), new(ThermalRow.Co2, JsonType.Number), new(ThermalRow.Pressure, JsonType.Number),
        new(ThermalRow.TemperatureIcp, JsonType.Number), new(ThermalRow.EquivalentCo2, JsonType.Number), new(ThermalRow.TotalVoc, JsonType.Number),
        new(ThermalRow.DeviceId, JsonType.Text), new(ThermalRow.BootId, JsonType.Text), new(ThermalRow.Sequence, JsonType.Number),
    ]);

    public static readonly JsonFields Inverter = new(
    [
        new(InverterRow.Id, JsonType.Text), new(InverterRow.Pac, JsonType.Number), new(InverterRow.EnergyOutput, JsonType.Number), new(InverterRow.Efficiency, JsonType.Number),
        new(InverterRow.PerformanceRatio, JsonType.Number), new(InverterRow.SystemUptime, JsonType.Number), new(InverterRow.Temperature, JsonType.Number),
        new(InverterRow.InputVoltage, JsonType.Number), new(InverterRow.OutputVoltage, JsonType.Number), new(InverterRow.Frequency, JsonType.Number),
        new(InverterRow.FaultStatusKey, JsonType.Text),
        new(ThermalRow.DeviceId, JsonType.Text), new(ThermalRow.BootId, JsonType.Text), new(ThermalRow.Sequence, JsonType.Number), new(InverterRow.ObservedAt, JsonType.TextOrNumber),
    ]);

    readonly JsonField[] fields;

    JsonFields(JsonField[] fields)
    {
        this.fields = fields;
        (DeviceId, BootId, Sequence) = (IndexOf(ThermalRow.DeviceId), IndexOf(ThermalRow.BootId), IndexOf(ThermalRow.Sequence));
        (ObservedAt, Stamp, Second, SystemTime) = (IndexOf(InverterRow.ObservedAt), IndexOf(ThermalRow.DateTimeStamp), IndexOf(ThermalRow.Ts), IndexOf(ThermalRow.SystemTime));
        KeyBytes = fields.Sum(field => field.Key.Bytes.Length);
    }

    public int Count => fields.Length;

    public JsonField this[int index] => fields[index];

    /// <summary>Of all keys of a row.</summary>
    public int KeyBytes { get; }

    public int DeviceId { get; }

    public int BootId { get; }

    public int Sequence { get; }

    /// <summary><c>observed_at</c>; less than 0 for thermal rows, which do not have it.</summary>
    public int ObservedAt { get; }

    /// <summary><c>datetimestamp</c>; less than 0 for inverter rows, as the next two.</summary>
    public int Stamp { get; }

    /// <summary><c>ts</c>.</summary>
    public int Second { get; }

    /// <summary><c>systemtime</c>.</summary>
    public int SystemTime { get; }

    public static JsonFields Of(ReadingKind kind) => kind == ReadingKind.Thermal ? Thermal : Inverter;

    int IndexOf(RowKey key) => Array.FindIndex(fields, field => field.Key == key);
}
