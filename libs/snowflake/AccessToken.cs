namespace ThermalStreaming.Snowflake;

/// <summary>A token for <c>Authorization: Bearer</c>.</summary>
/// <param name="Text">The token: a secret.</param>
/// <param name="Type">Value of <c>X-Snowflake-Authorization-Token-Type</c>.</param>
/// <param name="Host">The ingest host it was made for.</param>
/// <param name="MadeAt">Timestamp of the monotonic clock.</param>
/// <param name="Lifetime">How long it is valid after that.</param>
sealed record AccessToken(string Text, string Type, string Host, long MadeAt, TimeSpan Lifetime)
{
    /// <summary>Type of the token that an exchange returns.</summary>
    public const string Scoped = "OAUTH";
}
