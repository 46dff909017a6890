using System.Text;
using System.Text.Json;
using ThermalStreaming.Mappings;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>What becomes of a message, for a person who is trying a mapping.</summary>
/// <param name="Kind">For the forwarder of this kind.</param>
/// <param name="Route">Of the topic.</param>
/// <param name="Verdict">In a sentence.</param>
/// <param name="Readings">The readings made of the message.</param>
sealed record MappingTrial(ReadingKind Kind, TopicRoute Route, string Verdict, List<MappingTrial.Reading> Readings)
{
    /// <summary>A reading that is made.</summary>
    /// <param name="Json">As it is stored.</param>
    /// <param name="IsTaken">Whether it is stored.</param>
    /// <param name="Verdict">In a sentence.</param>
    /// <param name="Fields">What became of each field.</param>
    public sealed record Reading(string Json, bool IsTaken, string Verdict, IReadOnlyList<FieldReport> Fields);

    public static MappingTrial Of(MappingSet set, string topic, byte[] payload, ReadingKind kind)
    {
        var route = set.Route(topic, kind);
        if (route.Outcome != TopicOutcome.Mapped)
        {
            return new(
                kind,
                route,
                route.Outcome switch
                {
                    TopicOutcome.Refused => $"a dead letter: {route.Reason}",
                    TopicOutcome.LeftOut => $"left out: {route.Reason}",
                    TopicOutcome.Unmapped =>
                        "no reading: a subscription brings the topic, but no pattern takes it; the message is counted, and check "
                            + "shows it",
                    _ when Topics.TryParse(topic, out _, out _) => "this is a topic of our own format; no mapping is used",
                    _ => "nothing: no mapping subscribes to this topic",
                },
                []
            );
        }
        var taken = $"{route.Mapping} ({route.Place}) takes it; its readings are of device {route.DeviceId}";
        try
        {
            var readings = MessageMapper.Map(route, payload, kind, explain: true).ConvertAll(reading => Judge(reading, route, kind));
            return new(kind, route, readings.Count == 0 ? $"{taken}; this message has no reading" : taken, readings);
        }
        catch (PayloadException e)
        {
            return new(kind, route, $"a dead letter: {e.Message}", []);
        }
    }

    static Reading Judge(MappedReading reading, TopicRoute route, ReadingKind kind)
    {
        var json = Encoding.UTF8.GetString(reading.Json.Span);
        if (!reading.HasValue && reading.Problem is null)
            return new(json, false, "no reading: no field has a value", reading.Fields);
        var problem =
            reading.Problem
            ?? Payload.Decode(reading.Json, true, route.DeviceId, kind, DateTimeOffset.UnixEpoch).Problems.GetValueOrDefault(0);
        return new(json, problem is null, problem is null ? "a reading" : $"a dead letter: {problem}", reading.Fields);
    }

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("kind"u8, Topics.Name(Kind));
        writer.WriteString("outcome"u8, Route.Outcome.ToString());
        writer.WriteString("device"u8, Route.DeviceId);
        writer.WriteString("mapping"u8, Route.Mapping);
        writer.WriteString("place"u8, Route.Place);
        writer.WriteString("verdict"u8, Verdict);
        writer.WriteStartArray("readings"u8);
        foreach (var reading in Readings)
        {
            writer.WriteStartObject();
            writer.WriteBoolean("taken"u8, reading.IsTaken);
            writer.WriteString("verdict"u8, reading.Verdict);
            writer.WritePropertyName("reading"u8);
            writer.WriteRawValue(reading.Json);
            writer.WriteStartArray("fields"u8);
            foreach (var field in reading.Fields)
            {
                writer.WriteStartObject();
                writer.WriteString("field"u8, field.Field);
                writer.WriteString("path"u8, field.Path);
                writer.WriteString("value"u8, field.Value);
                writer.WriteString("why"u8, field.Reason);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
