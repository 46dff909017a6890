namespace ThermalStreaming.Mappings;

/// <summary>How to turn the messages of one product into readings. Immutable.</summary>
public sealed class Mapping
{
    /// <summary>Name of the mapping, unique among those in use; device ids behind a gateway begin with it.</summary>
    public required string Name { get; init; }

    /// <summary>The file that contains it.</summary>
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

    /// <summary>The topics that it takes, as written in it.</summary>
    public IEnumerable<string> Topics => Rules.Where(rule => rule.Readings.Count > 0).Select(rule => rule.Pattern.Text);
}
