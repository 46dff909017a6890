namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A place in S3 that files are loaded from.</summary>
/// <param name="Database">Database of the stage.</param>
/// <param name="Schema">Schema of the stage.</param>
/// <param name="Name">Name of the stage.</param>
/// <param name="Bucket">The bucket.</param>
/// <param name="Prefix">What the keys begin with. Without a slash at the end it is part of a name, as in Snowflake.</param>
/// <param name="Format">How files are read unless the COPY says otherwise; null if the stage has no JSON format.</param>
sealed record ExternalStage(string Database, string Schema, string Name, string Bucket, string Prefix, FileFormat? Format);
