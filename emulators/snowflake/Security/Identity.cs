namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Whom a bearer token speaks for.</summary>
/// <param name="User">The user.</param>
/// <param name="Role">The role that the token is restricted to; null means the user's default role.</param>
/// <param name="IsAccessToken">The token is a programmatic access token.</param>
sealed record Identity(string? User, string? Role, bool IsAccessToken = false);
