using Microsoft.AspNetCore.Http.Features;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Finds the pipe named in a call of classic Snowpipe's REST API: DATABASE.SCHEMA.PIPE, case-sensitive, with or without the quotes that an
/// identifier needs in SQL. Safe for concurrent use.
/// </summary>
sealed class LoadPipeGate(Catalog catalog)
{
    /// <summary>Marks an endpoint about such a pipe.</summary>
    public sealed record Mark;

    public Task InvokeAsync(HttpContext call, RequestDelegate next)
    {
        if (call.GetEndpoint()?.Metadata.GetMetadata<Mark>() is not null)
        {
            var name = call.Name("pipe").Replace("\"", "", StringComparison.Ordinal);
            // The role PUBLIC has no grants.
            var pipe =
                call.Features.GetRequiredFeature<Identity>().Role == "PUBLIC"
                    ? null
                    : catalog.LoadPipes.Find(p => p.FullName.Replace("\"", "", StringComparison.Ordinal) == name);
            call.Features.Set(pipe ?? throw FileRefusal.Missing());
        }
        return next(call);
    }
}
