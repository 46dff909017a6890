using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Writes one reading as the JSON of an object's row. One per sink; not thread-safe.</summary>
sealed class RowWriter : IDisposable
{
    readonly ArrayBufferWriter<byte> row = new(4096);
    readonly ArrayBufferWriter<byte> quarantined = new(256);
    readonly Utf8JsonWriter json;

    // '+' needs no escape in a file.
    public RowWriter() => json = new Utf8JsonWriter(quarantined, new JsonWriterOptions { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>The row's bytes; valid until the next call.</summary>
    public ReadOnlySpan<byte> Write(BatchReading reading, bool isQuarantined, RowStamp stamp)
    {
        row.ResetWrittenCount();
        reading.Payload.WriteRow(reading.Index, row, stamp, reading.Offset);
        return isQuarantined ? Quarantine(reading) : row.WrittenSpan;
    }

    public void Dispose() => json.Dispose();

    ReadOnlySpan<byte> Quarantine(BatchReading reading)
    {
        quarantined.ResetWrittenCount();
        json.Reset();
        json.WriteStartObject();
        json.WritePropertyName("reading"u8);
        json.WriteRawValue(row.WrittenSpan, skipInputValidation: true);
        json.WriteStartArray("reasons"u8);
        var inverter = reading.Payload.Inverter(reading.Index);
        foreach (var rule in InverterRule.All)
        {
            if (rule.Broken(inverter) is not { } problem)
                continue;
            json.WriteStartObject();
            json.WriteString("rule"u8, rule.Key);
            json.WriteString("problem"u8, problem);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return quarantined.WrittenSpan;
    }
}
