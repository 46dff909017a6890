using System.Text;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Mappings.Tests;

/// <summary>Messages through mappings.</summary>
static class Mapped
{
    public static MappingSet ReadyMade(params string[] names)
    {
        var problems = new List<string>();
        var set = MappingFiles.InUse(string.Join(',', names), null, problems);
        Assert.Empty(problems);
        return set;
    }

    public static MappingSet File(string text)
    {
        var problems = new List<string>();
        var mappings = MappingParser.Parse(text, new MappingProblems("test.yaml", problems));
        Assert.Empty(problems);
        var set = MappingSet.Create(mappings, problems);
        Assert.Empty(problems);
        return set;
    }

    public static List<string> Problems(params string[] texts)
    {
        var problems = new List<string>();
        var mappings = texts.SelectMany(text => MappingParser.Parse(text, new MappingProblems("test.yaml", problems))).ToList();
        if (problems.Count == 0)
            MappingSet.Create(mappings, problems);
        return problems;
    }

    /// <summary>The device, and the readings that have a value and no problem.</summary>
    public static (string Device, string[] Readings) Take(
        MappingSet set,
        string topic,
        string payload,
        ReadingKind kind = ReadingKind.Thermal
    )
    {
        var route = set.Route(topic, kind);
        Assert.Equal(TopicOutcome.Mapped, route.Outcome);
        return (route.DeviceId, [.. All(set, topic, payload, kind).Where(reading => reading.HasValue).Select(Text)]);
    }

    public static List<MappedReading> All(MappingSet set, string topic, string payload, ReadingKind kind = ReadingKind.Thermal) =>
        MessageMapper.Map(set.Route(topic, kind), Encoding.UTF8.GetBytes(payload), kind);

    public static string Text(MappedReading reading)
    {
        Assert.Null(reading.Problem);
        return Encoding.UTF8.GetString(reading.Json.Span);
    }
}
