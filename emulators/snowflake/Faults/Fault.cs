namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>What should go wrong, when and how often.</summary>
sealed class Fault
{
    /// <summary>Its number, from 1; set when it is added.</summary>
    public int Id { get; set; }

    /// <summary>One of <see cref="Faults.Kinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>One of <see cref="Faults.Endpoints"/>.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Pattern of channel names with * and ?.</summary>
    public required string Channel { get; init; }

    /// <summary>HTTP status of kind status.</summary>
    public int Status { get; init; }

    /// <summary>Error code in the answer; null chooses the one that Snowflake sends with the status.</summary>
    public string? Code { get; init; }

    public string? Message { get; init; }

    /// <summary>The whole body, instead of one made from status, code and message.</summary>
    public string? Body { get; init; }

    public string? RetryAfter { get; init; }

    /// <summary>Host name in the answer of discovery, for kind hostname.</summary>
    public string? Host { get; init; }

    /// <summary>Wait for kind delay, or shift for kind clock_skew.</summary>
    public TimeSpan Span { get; init; }

    /// <summary>Matching calls to let pass first.</summary>
    public int Skip { get; set; }

    /// <summary>Calls left; null means no limit.</summary>
    public int? Times { get; set; }

    /// <summary>When the fault ends; null means never.</summary>
    public DateTimeOffset? Until { get; init; }
}
