namespace ThermalStreaming.Forwarding;

/// <summary>Makes other senders' topics readable for a person.</summary>
static class TopicText
{
    const int MaxLength = 200;

    /// <summary>The topic on one line, no longer than needed to recognise it.</summary>
    public static string Of(string topic)
    {
        var line = string.Concat(topic.Take(MaxLength).Select(letter => char.IsControl(letter) ? '·' : letter));
        return topic.Length <= MaxLength ? line : line + "…";
    }
}
