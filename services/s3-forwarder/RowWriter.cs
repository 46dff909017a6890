using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Writes one reading as the JSON row of an object. One per sink; not thread-safe.</summary>
sealed class RowWriter : IDisposable
{
    readonly ArrayBufferWriter<byte> row = new(4096);
    readonly ArrayBufferWriter<byte> quarantined = new(256);
    readonly Utf8JsonWriter json;

    // '+' needs no escape in a file.
    public RowWriter() =>
        json = new Utf8JsonWriter(
            quarantined,
            new JsonWriterOptions { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
        );

    /// <summary>The row's bytes; valid until the next call.</summary>
    /// <param name="reading">The reading.</param>
    /// <param name="reasons">Names the reasons of a quarantined reading; null for others.</param>
    /// <param name="stamp">For thermal rows.</param>
    public ReadOnlySpan<byte> Write(BatchReading reading, RuleChecker? reasons, RowStamp stamp)
    {
        row.ResetWrittenCount();
        reading.Payload.WriteRow(reading.Index, row, stamp, reading.Offset);
        return reasons is null ? row.WrittenSpan : Quarantine(reading, reasons);
    }

    public void Dispose() => json.Dispose();

    ReadOnlySpan<byte> Quarantine(BatchReading reading, RuleChecker reasons)
    {
        quarantined.ResetWrittenCount();
        json.Reset();
        json.WriteStartObject();
        json.WritePropertyName("reading"u8);
        json.WriteRawValue(row.WrittenSpan, skipInputValidation: true);
        json.WriteStartArray("reasons"u8);
        foreach (var broken in reasons.Broken(reading.Payload, reading.Index, rejectingOnly: true))
        {
            json.WriteStartObject();
            json.WriteString("rule"u8, broken.Rule.Name);
            json.WriteString("problem"u8, broken.Problem);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return quarantined.WrittenSpan;
    }
}
