namespace ThermalStreaming.S3Forwarder;

/// <summary>One object: the readings of its group from <paramref name="First"/> to before the next part's first.</summary>
sealed record PlannedPart(int Number, long First, int Rows);
