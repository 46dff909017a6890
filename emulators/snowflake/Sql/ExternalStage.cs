namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A location in S3 from which files are loaded.</summary>
/// <param name="Database">Database of the stage.</param>
/// <param name="Schema">Schema of the stage.</param>
/// <param name="Name">Name of the stage.</param>
/// <param name="Bucket">The bucket.</param>
/// <param name="Prefix">Start of the keys. Without a slash at the end it is part of a name, as in Snowflake.</param>
/// <param name="Format">Format of files unless the COPY names another; null if the stage has no JSON format.</param>
sealed record ExternalStage(string Database, string Schema, string Name, string Bucket, string Prefix, FileFormat? Format);
