namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>How the forwarder signs in.</summary>
enum SnowpipeAuth
{
    /// <summary>A key-pair JWT is exchanged for a token that is valid only at the ingest host. This is what Snowflake documents.</summary>
    ScopedToken,

    /// <summary>The key-pair JWT itself is sent to the ingest host too.</summary>
    DirectJwt,

    /// <summary>
    /// A programmatic access token, without a key pair. It is exchanged for a token that is valid only at the ingest host, as in
    /// Snowflake's own SDK.
    /// </summary>
    Pat,

    /// <summary>The programmatic access token itself is sent to the ingest host too.</summary>
    DirectPat,
}
