namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>What the client must remember of one channel between calls. Used by one caller at a time.</summary>
sealed class ChannelSession(string name)
{
    /// <summary>Spelled the same everywhere: the status endpoint is case-sensitive.</summary>
    public string Name { get; } = name;

    /// <summary>
    /// The last <c>x-snowflake-session</c> in an answer about the channel, which routes requests to the node that holds it. Answers without
    /// the header leave it unchanged; a new open begins without one.
    /// </summary>
    public string? Affinity { get; set; }

    public RequestIdentity Open { get; } = new();

    public RequestIdentity Status { get; } = new();
}
