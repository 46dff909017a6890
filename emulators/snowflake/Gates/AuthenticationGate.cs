namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Checks the Accept header and the bearer token of a call. Safe for concurrent use.</summary>
sealed class AuthenticationGate(Authenticator authenticator)
{
    /// <summary>Marks an endpoint that needs a token.</summary>
    public sealed record Mark;

    public Task InvokeAsync(HttpContext call, RequestDelegate next)
    {
        if (call.GetEndpoint()?.Metadata.GetMetadata<Mark>() is null)
            return next(call);
        var accept = call.Request.Headers.Accept;
        if (!accept.Any(value => value is not null && AcceptsJson(value)))
        {
            throw new RefusedException(
                406,
                "391902",
                $"Unsupported Accept header {(accept.Count == 0 ? "null" : accept.ToString())} is specified."
            );
        }
        call.Features.Set(authenticator.Authenticate(call.Bearer()));
        return next(call);
    }

    static bool AcceptsJson(string accept) =>
        accept
            .Split(',', StringSplitOptions.TrimEntries)
            .Select(range => range.Split(';')[0].Trim())
            .Any(type => type is "*/*" or "application/*" or "*" || type.Equals("application/json", StringComparison.OrdinalIgnoreCase));
}
