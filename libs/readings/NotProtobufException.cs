namespace ThermalStreaming.Readings;

/// <summary>Bytes that are not a <see cref="ReadingBatch"/> by their form.</summary>
sealed class NotProtobufException(string reason) : PayloadException(reason);
