namespace ThermalStreaming.S3Forwarder;

/// <summary>A file that was not loaded, or not completely.</summary>
/// <param name="Address"><c>s3://bucket/key</c>.</param>
/// <param name="At">When that became known.</param>
/// <param name="State">State of its load.</param>
/// <param name="Rows">Rows in it.</param>
/// <param name="RowsInserted">Rows in the table.</param>
/// <param name="FirstError">The first error with its place.</param>
sealed record UnloadedFile(string Address, DateTimeOffset At, LoadState State, int Rows, long RowsInserted, string FirstError);
