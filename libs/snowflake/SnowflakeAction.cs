namespace ThermalStreaming.Snowflake;

/// <summary>What an error of Snowflake asks of a client.</summary>
enum SnowflakeAction
{
    /// <summary>Repeat the same request, byte for byte, after a wait.</summary>
    Retry,

    /// <summary>Open the channel again and continue behind its committed token.</summary>
    Reopen,

    /// <summary>The pipe moved: discover the host, sign in and open the channel again.</summary>
    Rebuild,

    /// <summary>The request is larger than what lies between here and there lets through: send less at once.</summary>
    Smaller,

    /// <summary>Only a person can change it.</summary>
    AskOperator,
}
