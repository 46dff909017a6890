namespace ThermalStreaming.Readings;

/// <summary>Bytes that do not have the form of a <see cref="ReadingBatch"/>.</summary>
sealed class NotProtobufException(string reason) : PayloadException(reason);
