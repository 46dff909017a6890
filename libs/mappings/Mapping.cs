namespace ThermalStreaming.Mappings;

/// <summary>What becomes of the messages of one product. Immutable.</summary>
public sealed class Mapping
{
    /// <summary>Of the mapping, unique among those in use; the beginning of the device ids behind a gateway.</summary>
    public required string Name { get; init; }

    /// <summary>The file that it stands in.</summary>
    public required string File { get; init; }

    /// <summary>Its line there, from 1.</summary>
    public required int Line { get; init; }

    /// <summary>
    /// Whether one user publishes for many devices. Otherwise each device publishes for itself, on topics that name it.
    /// </summary>
    public required bool IsGateway { get; init; }

    /// <summary>One line for a person.</summary>
    public required string Description { get; init; }

    internal IReadOnlyList<TopicRule> Rules { get; set; } = [];

    /// <summary>The topics that it takes, as they are written in it.</summary>
    public IEnumerable<string> Topics => Rules.Where(rule => rule.Readings.Count > 0).Select(rule => rule.Pattern.Text);
}
