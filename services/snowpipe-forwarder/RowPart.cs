namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// The rows of one append, ready for the wire. <see cref="Body"/> is a view on memory of the <see cref="AppendWriter"/> that made it.
/// </summary>
/// <param name="Body">NDJSON, compressed.</param>
/// <param name="UncompressedBytes">Its size before compression.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="FirstOffset">Offset of the first reading that it accounts for, including refused ones.</param>
/// <param name="LastOffset">Offset of the last one.</param>
/// <param name="LastRow">Offset of the reading of its last row.</param>
readonly record struct RowPart(ReadOnlyMemory<byte> Body, int UncompressedBytes, int Rows, long FirstOffset, long LastOffset, long LastRow);
