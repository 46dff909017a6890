namespace ThermalStreaming.Mappings;

/// <summary>A topic filter whose only wildcard is <c>+</c>: it takes only topics with as many levels as it has. Immutable.</summary>
public sealed class TopicFilter : IEquatable<TopicFilter>
{
    const string Any = "+";

    readonly string[] levels;

    /// <param name="text">Levels separated by slashes.</param>
    public TopicFilter(string text) => (Text, levels) = (text, text.Split('/'));

    /// <summary>The filter in MQTT's notation.</summary>
    public string Text { get; }

    /// <summary>Whether it takes a topic, level by level.</summary>
    public bool Takes(string[] topic)
    {
        if (topic.Length != levels.Length)
            return false;
        for (var i = 0; i < levels.Length; i++)
        {
            if (levels[i] != Any && levels[i] != topic[i])
                return false;
        }
        // MQTT 5 §4.7.2.
        return levels[0] != Any || topic[0].Length == 0 || topic[0][0] != '$';
    }

    /// <summary>Whether it takes every topic that the other one takes.</summary>
    public bool Covers(TopicFilter other) =>
        levels.Length == other.levels.Length && levels.Zip(other.levels).All(pair => pair.First == Any || pair.First == pair.Second);

    /// <summary>The filter of the topics that both take; null if there are none.</summary>
    public TopicFilter? Intersect(TopicFilter other) =>
        levels.Length == other.levels.Length
        && levels.Zip(other.levels).All(pair => pair.First == pair.Second || pair.First == Any || pair.Second == Any)
            ? new TopicFilter(string.Join('/', levels.Zip(other.levels, (own, others) => own == Any ? others : own)))
            : null;

    /// <summary>The same filter with one level replaced by a name.</summary>
    public TopicFilter With(int level, string name) => new(string.Join('/', levels.Select((own, i) => i == level ? name : own)));

    /// <summary>
    /// Sorts filters. Of two that take a topic, the first one owns it: at the first level where they differ, it has a name.
    /// </summary>
    public static int Compare(TopicFilter first, TopicFilter second)
    {
        var (levels, others) = (first.levels, second.levels);
        for (var i = 0; i < Math.Min(levels.Length, others.Length); i++)
        {
            if (levels[i] == others[i])
                continue;
            return levels[i] == Any ? 1
                : others[i] == Any ? -1
                : string.CompareOrdinal(levels[i], others[i]);
        }
        return levels.Length.CompareTo(others.Length);
    }

    public bool Equals(TopicFilter? other) => other?.Text == Text;

    public override bool Equals(object? obj) => Equals(obj as TopicFilter);

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;
}
