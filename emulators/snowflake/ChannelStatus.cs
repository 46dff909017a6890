namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A channel as its status tells it. Times are milliseconds since 1970.</summary>
sealed record ChannelStatus(
    string Pipe, string Name, bool Elastic, string StatusCode, string? CommittedToken, long CreatedMs,
    long RowsInserted, long RowsParsed, long RowErrors, string? LastErrorUpperBound, string? LastErrorMessage, long? LastErrorMs,
    long? AverageLatencyMs, string ContinuationToken, long UncommittedRows);
