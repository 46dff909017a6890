using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Mappings;

/// <summary>
/// Makes the readings of one message. Time and units that the payload names are shared and looked up once: otherwise each reading would
/// need a search from the root of the payload. Not thread-safe.
/// </summary>
/// <param name="rule">Rule of the topic.</param>
/// <param name="route">Route of the topic.</param>
/// <param name="payload">The whole payload.</param>
/// <param name="explain">Whether to fill <see cref="MappedReading.Fields"/>.</param>
sealed class ReadingBuilder(TopicRule rule, TopicRoute route, JsonElement payload, bool explain)
{
    const string ObservedAt = "observed_at";

    static readonly JsonWriterOptions options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What senders write if there is no value.</summary>
    static readonly HashSet<string> nothing = new(StringComparer.OrdinalIgnoreCase) { "", "unknown", "unavailable", "none", "null", "nan" };

    /// <summary>For each field with its unit in the payload: the unit, or why it is not one.</summary>
    readonly Dictionary<FieldRule, (Unit? Unit, string Problem)> units = new(ReferenceEqualityComparer.Instance);
    readonly ArrayBufferWriter<byte> json = new(256);

    /// <summary>The time as JSON, null if there is none, and the reason; null until looked up.</summary>
    (string? Json, string Reason)? time;

    // Reports of the current reading.
    List<FieldReport>? reports;
    string? problem;
    bool hasValue;

    /// <summary>The readings that a rule makes.</summary>
    public IEnumerable<MappedReading> Build(ReadingRule reading) =>
        reading.Each is null
            ? [Build(reading, payload, "")]
            : reading.Each.Of(payload).Select(member => Build(reading, member.Value, member.Key));

    /// <param name="reading">The rule to apply.</param>
    /// <param name="member">Where its paths begin.</param>
    /// <param name="key">Key of the member; empty for the payload.</param>
    MappedReading Build(ReadingRule reading, JsonElement member, string key)
    {
        (reports, problem, hasValue) = (explain ? [] : null, null, false);
        json.ResetWrittenCount();
        using (var writer = new Utf8JsonWriter(json, options))
        {
            writer.WriteStartObject();
            WriteTime(writer);
            foreach (var field in reading.Fields)
                WriteField(writer, field, member);
            foreach (var (name, text) in reading.Constants)
                writer.WriteString(name, Template.Fill(text, name => name == "key" ? key : route.Value(name)));
            foreach (var (name, path) in reading.Extra)
            {
                if (path.Find(member) is { ValueKind: not JsonValueKind.Null } value)
                    Write(writer, name, value.GetRawText());
            }
            writer.WriteEndObject();
        }
        return new MappedReading(json.WrittenSpan.ToArray(), hasValue, problem, reports ?? []);
    }

    void WriteTime(Utf8JsonWriter writer)
    {
        if (rule.Time is not { } timeRule)
            return;
        var (found, reason) = time ??= FindTime(timeRule);
        if (found is not null)
            Write(writer, ObservedAt, found);
        reports?.Add(new FieldReport(ObservedAt, timeRule.Path.Text, found, reason));
    }

    (string? Json, string Reason) FindTime(TimeRule timeRule)
    {
        if (timeRule.Path.Find(payload) is not { } value || IsNothing(value))
            return (null, "the payload has no time; the time of arrival counts");
        var raw = value.GetRawText();
        if (value.ValueKind != JsonValueKind.String || !IsWithoutZone(value.GetString()!))
            return (raw, "");
        if (timeRule.Zone is null)
            return (null, $"{raw} has no zone; the time of arrival counts");
        if (timeRule.Zone == TimeZoneInfo.Utc || !ReadingTime.TryParse(System.Text.Encoding.UTF8.GetBytes(raw), out var local))
            return (raw, "");
        var there = Instants.FromMicroseconds(local.Microseconds).DateTime;
        var instant = Instants.FromMicroseconds(local.Microseconds) - timeRule.Zone.GetUtcOffset(there);
        var text = instant.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);
        return ($"\"{text}\"", $"{raw} in {timeRule.Zone.Id}");
    }

    /// <summary>Whether a text is only a date and a time of day.</summary>
    static bool IsWithoutZone(string text)
    {
        text = text.Trim();
        return text.Length > 10
            && !text.EndsWith('Z')
            && !text.EndsWith('z')
            && !text.EndsWith("GMT", StringComparison.Ordinal)
            && text.AsSpan(10).IndexOfAny('+', '-') < 0
            && !text.All(letter => char.IsAsciiDigit(letter) || letter == '.');
    }

    void WriteField(Utf8JsonWriter writer, FieldRule field, JsonElement member)
    {
        if (field.Path.Find(member) is not { } value)
        {
            reports?.Add(new FieldReport(field.Field.Key, field.Path.Text, null, "there is nothing at this path"));
            return;
        }
        if (IsNothing(value))
        {
            reports?.Add(new FieldReport(field.Field.Key, field.Path.Text, null, $"{JsonQuote.Of(value)} is not a value"));
            return;
        }
        var raw = value.GetRawText();
        if (field.Field.Unit is not { } target)
        {
            if (value.ValueKind is not (JsonValueKind.String or JsonValueKind.Number))
            {
                Refuse(field, value, "which is not a text");
            }
            Write(writer, field.Field.Key, raw);
            reports?.Add(new FieldReport(field.Field.Key, field.Path.Text, raw, ""));
            return;
        }
        if (!TryNumber(value, out var number))
        {
            Refuse(field, value, "which is not a number");
            Write(writer, field.Field.Key, raw);
            return;
        }
        hasValue = true;
        if (UnitOf(field) is not { } unit)
        {
            // Never as a number: without a known unit it cannot be converted.
            writer.WriteString(field.Field.Key, $"{raw} of an unknown unit");
            return;
        }
        if (unit == target && value.ValueKind == JsonValueKind.Number)
        {
            // As received; the column refuses a value that is too large.
            Write(writer, field.Field.Key, raw);
            reports?.Add(new FieldReport(field.Field.Key, field.Path.Text, raw, ""));
            return;
        }
        try
        {
            var converted = Unit.Format(unit.To(target, number ?? throw new OverflowException()));
            Write(writer, field.Field.Key, converted);
            reports?.Add(
                new FieldReport(field.Field.Key, field.Path.Text, converted, unit == target ? "" : $"{raw} {unit.Name} in {target.Name}")
            );
        }
        catch (OverflowException)
        {
            Refuse(field, value, "which is too large; a number up to 10^28 can be converted");
            writer.WriteString(field.Field.Key, $"{raw} {unit.Name}");
        }
    }

    /// <summary>Null if the payload names an unknown unit.</summary>
    Unit? UnitOf(FieldRule field)
    {
        if (field.UnitPath is not { } path)
            return field.Unit;
        if (!units.TryGetValue(field, out var found))
            units[field] = found = FindUnit(field, path);
        if (found.Unit is null)
            Refuse(field, found.Problem);
        return found.Unit;
    }

    (Unit? Unit, string Problem) FindUnit(FieldRule field, JsonPath path)
    {
        if (path.Find(payload) is not { } value || IsNothing(value))
            return (field.Unit, "");
        return
            value.ValueKind == JsonValueKind.String
            && Unit.Find(value.GetString()!.Trim()) is { } unit
            && unit.Quantity == field.Field.Unit!.Quantity
            ? (unit, "")
            : (null, $"the unit at {path.Text} is {JsonQuote.Of(value)}, and must be one of {Unit.Names(field.Field.Unit!.Quantity)}");
    }

    /// <summary>Reads a number to 28 digits.</summary>
    /// <param name="value">A value of the payload.</param>
    /// <param name="number">Null for a number beyond 10^28.</param>
    /// <returns>Whether it is a number.</returns>
    static bool TryNumber(JsonElement value, out decimal? number)
    {
        number = null;
        if (value.ValueKind is not (JsonValueKind.Number or JsonValueKind.String))
            return false;
        var text = value.ValueKind == JsonValueKind.Number ? value.GetRawText() : value.GetString()!.Trim();
        if (decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed))
        {
            number = parsed;
            return true;
        }
        return DecimalNumber.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out _);
    }

    static bool IsNothing(JsonElement value) =>
        value.ValueKind == JsonValueKind.Null || (value.ValueKind == JsonValueKind.String && nothing.Contains(value.GetString()!.Trim()));

    static void Write(Utf8JsonWriter writer, string key, string raw)
    {
        writer.WritePropertyName(key);
        writer.WriteRawValue(raw, skipInputValidation: true);
    }

    void Refuse(FieldRule field, JsonElement value, string why) => Refuse(field, $"{field.Path.Text} is {JsonQuote.Of(value)}, {why}");

    void Refuse(FieldRule field, string why)
    {
        reports?.Add(new FieldReport(field.Field.Key, field.Path.Text, null, why));
        problem ??= $"{rule.Mapping.File}:{field.Line}: fields.{field.Field.Key}: {why}";
    }
}
