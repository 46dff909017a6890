namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Who a bearer token speaks for, or why it does not.</summary>
/// <param name="User">The user; null if the token was refused.</param>
/// <param name="Role">The role that the token is restricted to; null for the user's default.</param>
/// <param name="ErrorCode">Snowflake's code in the answer.</param>
/// <param name="ErrorMessage">Snowflake's words in the answer.</param>
/// <param name="Failure">The reason that Snowflake only tells an administrator.</param>
/// <param name="IsAccessToken">The token is a programmatic access token.</param>
sealed record Identity(
    string? User, string? Role, string? ErrorCode = null, string? ErrorMessage = null, LoginFailure? Failure = null,
    bool IsAccessToken = false);
