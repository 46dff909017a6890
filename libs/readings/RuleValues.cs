using System.Text;
using System.Text.Json;

namespace ThermalStreaming.Readings;

/// <summary>The values of one reading that rules test. Reused for each reading; not thread-safe.</summary>
sealed class RuleValues
{
    /// <summary>Deeper than any accepted payload.</summary>
    const int DeepestValue = 512;

    readonly string[] metrics;
    readonly byte[][] names;
    readonly RuleValue[] values;

    /// <param name="metrics">The keys of the row that rules test.</param>
    public RuleValues(IEnumerable<string> metrics)
    {
        this.metrics = [.. metrics.Distinct(StringComparer.Ordinal)];
        names = [.. this.metrics.Select(Encoding.UTF8.GetBytes)];
        values = new RuleValue[names.Length];
    }

    public IReadOnlyList<string> Metrics => metrics;

    /// <summary>The value of a key that the constructor was given.</summary>
    public ref readonly RuleValue this[string metric] => ref values[Array.IndexOf(metrics, metric)];

    public void Set(int metric, RuleValue value) => values[metric] = value;

    /// <summary>Takes the values from a row as it is sent: one JSON object. A key that it lacks counts as missing.</summary>
    public void Read(ReadOnlySpan<byte> row)
    {
        Array.Clear(values);
        var reader = new Utf8JsonReader(row, new JsonReaderOptions { MaxDepth = DeepestValue });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var metric = Find(ref reader);
            reader.Read();
            if (metric >= 0)
                values[metric] = Value(ref reader, row);
            reader.Skip();
        }
    }

    int Find(ref Utf8JsonReader reader)
    {
        for (var i = 0; i < names.Length; i++)
        {
            if (reader.ValueTextEquals(names[i]))
                return i;
        }
        return -1;
    }

    static RuleValue Value(ref Utf8JsonReader reader, ReadOnlySpan<byte> row)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return default;
            case JsonTokenType.Number when reader.TryGetDouble(out var number):
                return RuleValue.Of(number);
            case JsonTokenType.String when TryGetText(ref reader, out var text):
                return RuleValue.Of(text);
            case JsonTokenType.True:
            case JsonTokenType.False:
                return new(RuleValueType.Other, 0, reader.GetBoolean() ? "true" : "false");
            default:
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                return new(RuleValueType.Other, 0, Encoding.UTF8.GetString(row[start..(int)reader.BytesConsumed]));
        }
    }

    /// <summary>False for half of a surrogate pair, which JSON can spell but a text cannot hold.</summary>
    static bool TryGetText(ref Utf8JsonReader reader, out string text)
    {
        try
        {
            text = reader.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            text = "";
            return false;
        }
    }
}
