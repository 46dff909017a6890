using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>Adds to a row, before it is sent, the names of the validation rules that it breaks. Not thread-safe.</summary>
sealed class RowRules(ValidationRules rules, SnowpipeStatistics statistics)
{
    static readonly JsonWriterOptions relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    readonly RuleChecker checker = new(rules);

    /// <summary>Checks a written row, counts the rules that it breaks, and marks it if a rule rejects it.</summary>
    /// <param name="kind">Kind of the row's reading.</param>
    /// <param name="row">The row.</param>
    public void Mark(ReadingKind kind, ArrayBufferWriter<byte> row)
    {
        if (rules.Of(kind).Count == 0)
            return;
        var broken = checker.Broken(kind, row.WrittenSpan);
        foreach (var one in broken)
            statistics.Broken(one.Rule.Name);
        broken.RemoveAll(one => one.Rule.Effect != RuleEffect.Reject);
        if (broken.Count > 0)
            Flag(row, broken);
    }

    static void Flag(ArrayBufferWriter<byte> row, List<BrokenRule> broken)
    {
        // A sender's own key of that name is left alone: Snowflake refuses an object with a duplicate key.
        if (row.WrittenSpan.IndexOf("\"broken_rules\":"u8) >= 0)
            return;
        var without = row.WrittenSpan[..^1].ToArray();
        row.ResetWrittenCount();
        row.Write(without);
        row.Write(",\"broken_rules\":"u8);
        using var json = new Utf8JsonWriter(row, relaxed);
        json.WriteStartArray();
        foreach (var one in broken)
        {
            json.WriteStartObject();
            json.WriteString("rule"u8, one.Rule.Name);
            json.WriteString("problem"u8, one.Problem);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.Flush();
        row.Write("}"u8);
    }
}
