namespace ThermalStreaming.Snowflake;

/// <summary>How a client must react to an error of Snowflake.</summary>
enum SnowflakeAction
{
    /// <summary>Repeat the same request, byte for byte, after a wait.</summary>
    Retry,

    /// <summary>Open the channel again and continue after its committed token.</summary>
    Reopen,

    /// <summary>The pipe moved: discover the host, sign in and open the channel again.</summary>
    Rebuild,

    /// <summary>The request is too large for something between here and Snowflake: send less at once.</summary>
    Smaller,

    /// <summary>Only a person can fix it.</summary>
    AskOperator,
}
