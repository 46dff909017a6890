namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>How the forwarder signs in.</summary>
enum SnowpipeAuth
{
    /// <summary>A key-pair JWT is exchanged for a token that is valid at the ingest host only. What Snowflake documents.</summary>
    ScopedToken,

    /// <summary>The key-pair JWT itself is sent to the ingest host too.</summary>
    DirectJwt,

    /// <summary>
    /// A programmatic access token, no key pair. It is exchanged for a token that is valid at the ingest host only, as Snowflake's own SDK
    /// does.
    /// </summary>
    Pat,

    /// <summary>The programmatic access token itself is sent to the ingest host too.</summary>
    DirectPat,
}
