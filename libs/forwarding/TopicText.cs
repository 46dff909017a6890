namespace ThermalStreaming.Forwarding;

/// <summary>Topics of others as a person may read them.</summary>
static class TopicText
{
    const int MaxLength = 200;

    /// <summary>On one line, and not longer than it takes to recognise it.</summary>
    public static string Of(string topic)
    {
        var line = string.Concat(topic.Take(MaxLength).Select(letter => char.IsControl(letter) ? '·' : letter));
        return topic.Length <= MaxLength ? line : line + "…";
    }
}
