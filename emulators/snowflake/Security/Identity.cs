namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The identity behind a bearer token.</summary>
/// <param name="User">The user.</param>
/// <param name="Role">The role that the token is restricted to; null: the user's default role.</param>
/// <param name="IsAccessToken">Whether the token is a programmatic access token.</param>
sealed record Identity(string? User, string? Role, bool IsAccessToken = false);
