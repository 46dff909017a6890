namespace ThermalStreaming.Readings;

/// <summary>The fields of one kind of row, in the row's order, and which of them say what a reading is.</summary>
sealed class JsonFields
{
    public static readonly JsonFields Thermal = new([
        new(ThermalRow.Uuid, JsonType.Text),
        new(ThermalRow.RowId, JsonType.Text),
        new(ThermalRow.IpAddress, JsonType.Text),
        new(ThermalRow.MacAddress, JsonType.Text),
        new(ThermalRow.HostKey, JsonType.Text),
        new(ThermalRow.HostName, JsonType.Text),
        new(ThermalRow.LocalHostName, JsonType.Text),
        new(ThermalRow.CpuTempF, JsonType.Number),
        new(ThermalRow.Runtime, JsonType.Number),
        new(ThermalRow.SystemTime, JsonType.Text, JsonRole.SystemTime),
        new(ThermalRow.StartTime, JsonType.Text),
        new(ThermalRow.EndTime, JsonType.Text),
        new(ThermalRow.Te, JsonType.Text),
        new(ThermalRow.Ts, JsonType.Time, JsonRole.Second),
        new(ThermalRow.DateTimeStamp, JsonType.Time, JsonRole.Instant),
        new(ThermalRow.Cpu, JsonType.Number),
        new(ThermalRow.Memory, JsonType.Number),
        new(ThermalRow.DiskUsage, JsonType.Text),
        new(ThermalRow.Temperature, JsonType.Number),
        new(ThermalRow.Humidity, JsonType.Number),
        new(ThermalRow.Co2, JsonType.Number),
        new(ThermalRow.Pressure, JsonType.Number),
        new(ThermalRow.TemperatureIcp, JsonType.Number),
        new(ThermalRow.EquivalentCo2, JsonType.Number),
        new(ThermalRow.TotalVoc, JsonType.Number),
        new(ThermalRow.DeviceId, JsonType.Text, JsonRole.DeviceId),
        new(ThermalRow.BootId, JsonType.Text, JsonRole.BootId),
        new(ThermalRow.Sequence, JsonType.Number, JsonRole.Sequence),
        new(InverterRow.ObservedAt, JsonType.Time, JsonRole.OwnKey),
    ]);

    public static readonly JsonFields Inverter = new([
        new(InverterRow.Id, JsonType.Text),
        new(InverterRow.Pac, JsonType.Number),
        new(InverterRow.EnergyOutput, JsonType.Number),
        new(InverterRow.Efficiency, JsonType.Number),
        new(InverterRow.PerformanceRatio, JsonType.Number),
        new(InverterRow.SystemUptime, JsonType.Number),
        new(InverterRow.Temperature, JsonType.Number),
        new(InverterRow.InputVoltage, JsonType.Number),
        new(InverterRow.OutputVoltage, JsonType.Number),
        new(InverterRow.Frequency, JsonType.Number),
        new(InverterRow.FaultStatusKey, JsonType.Text),
        new(ThermalRow.DeviceId, JsonType.Text, JsonRole.DeviceId),
        new(ThermalRow.BootId, JsonType.Text, JsonRole.BootId),
        new(ThermalRow.Sequence, JsonType.Number, JsonRole.Sequence),
        new(InverterRow.ObservedAt, JsonType.Time, JsonRole.Instant),
    ]);

    readonly JsonField[] fields;

    JsonFields(JsonField[] fields)
    {
        this.fields = fields;
        (DeviceId, BootId, Sequence) = (IndexOf(ThermalRow.DeviceId), IndexOf(ThermalRow.BootId), IndexOf(ThermalRow.Sequence));
        // The first of these that a reading has says when it was taken.
        Times = [.. new[] { InverterRow.ObservedAt, ThermalRow.DateTimeStamp, ThermalRow.Ts }.Select(IndexOf).Where(index => index >= 0)];
        Measurements =
        [
            .. Enumerable.Range(0, fields.Length).Where(index => fields[index] is { Type: JsonType.Number, Role: JsonRole.Value }),
        ];
        KeyBytes = fields.Sum(field => field.Key.Bytes.Length);
        Patterns = [.. fields.Select(field => new KeyPattern(field.Key))];
    }

    public int Count => fields.Length;

    public JsonField this[int index] => fields[index];

    /// <summary>The pattern of each field's key.</summary>
    public KeyPattern[] Patterns { get; }

    /// <summary>Bytes of all keys of a row.</summary>
    public int KeyBytes { get; }

    public int DeviceId { get; }

    public int BootId { get; }

    public int Sequence { get; }

    /// <summary>The fields that say when a reading was taken, in order of precedence.</summary>
    public int[] Times { get; }

    /// <summary>The fields that hold what was measured.</summary>
    public int[] Measurements { get; }

    public static JsonFields Of(ReadingKind kind) => kind == ReadingKind.Thermal ? Thermal : Inverter;

    int IndexOf(RowKey key) => Array.FindIndex(fields, field => field.Key == key);
}
