namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>One channel as the client must remember it between calls. Used by one caller at a time.</summary>
sealed class ChannelSession(string name)
{
    /// <summary>One exact spelling everywhere: the status endpoint compares case.</summary>
    public string Name { get; } = name;

    /// <summary>
    /// The last <c>x-snowflake-session</c> that an answer about the channel carried, by which requests find the node that holds it. Answers
    /// without the header leave it as it is; a new open begins with none.
    /// </summary>
    public string? Affinity { get; set; }

    public RequestIdentity Open { get; } = new();

    public RequestIdentity Status { get; } = new();
}
