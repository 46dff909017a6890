namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Form of an endpoint's answer where Snowflake's documentation and the live service disagree.</summary>
enum AnswerFormat
{
    /// <summary>The bare value, as seen live.</summary>
    Text,

    /// <summary>A JSON object, as documented.</summary>
    Json,
}
