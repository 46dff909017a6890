namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The source of a column in a loaded row.</summary>
enum LoadField
{
    /// <summary>The record, <c>$1</c>, or a key of it.</summary>
    Record,

    /// <summary><c>METADATA$FILENAME</c>: the key of the object.</summary>
    FileName,

    /// <summary><c>METADATA$FILE_ROW_NUMBER</c>: the number of the record in its file, from 1.</summary>
    RowNumber,

    /// <summary><c>METADATA$FILE_CONTENT_KEY</c>: a checksum of the object.</summary>
    ContentKey,

    /// <summary><c>METADATA$FILE_LAST_MODIFIED</c>: when the object was written, UTC.</summary>
    LastModified,

    /// <summary><c>METADATA$START_SCAN_TIME</c>: when reading the file began.</summary>
    StartScanTime,
}
