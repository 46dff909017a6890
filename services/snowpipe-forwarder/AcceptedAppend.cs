namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>An append that Snowflake has answered with success.</summary>
/// <param name="End">One past its last offset.</param>
/// <param name="At">Timestamp of the answer.</param>
/// <param name="Rows">How many rows it has.</param>
readonly record struct AcceptedAppend(long End, long At, int Rows);
