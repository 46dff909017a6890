using Microsoft.AspNetCore.Http.Features;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Finds the pipe named in the path, or the default pipe of the table named there. Safe for concurrent use.</summary>
sealed class PipeGate(StreamingTables tables)
{
    /// <summary>Marks an endpoint about a pipe.</summary>
    /// <param name="Create">Whether a call creates a table's default pipe.</param>
    public sealed record Mark(bool Create);

    public Task InvokeAsync(HttpContext call, RequestDelegate next)
    {
        if (call.GetEndpoint()?.Metadata.GetMetadata<Mark>() is { } mark)
            call.Features.Set(Find(call, mark.Create));
        return next(call);
    }

    Pipe Find(HttpContext call, bool create)
    {
        var catalog = tables.Catalog;
        var role = call.Features.GetRequiredFeature<Identity>().Role;
        var database = role == "PUBLIC" ? null : Catalog.Resolve(call.Name("database"), catalog.Databases);
        if (database is null)
        {
            throw new RefusedException(
                404,
                "ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED",
                $"Database {call.Name("database")} does not exist or is not authorized for role {role ?? "(default)"}."
            );
        }
        var schema =
            Catalog.Resolve(call.Name("schema"), catalog.Schemas.Where(s => s.Database == database).Select(s => s.Schema))
            ?? throw new RefusedException(
                404,
                "ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED",
                $"Schema {call.Name("schema")} does not exist in {database} or is not authorized."
            );
        var here = catalog.Pipes.Where(p => p.Database == database && p.Schema == schema);
        if (call.GetRouteValue("table") is not null)
        {
            var table = Catalog.Resolve(call.Name("table"), here.Where(p => p.IsDefault).Select(p => p.Table.Name));
            return here.FirstOrDefault(p => p.IsDefault && p.Table.Name == table)
                ?? throw RefusedException.Missing(
                    "ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED",
                    $"Table {call.Name("table")} does not exist in {database}.{schema} or is not authorized."
                );
        }
        var name = Catalog.Resolve(Catalog.DefaultPipeIdentifier(call.Name("pipe")), here.Select(p => p.Name));
        var pipe = here.FirstOrDefault(p => p.Name == name);
        return pipe is not null && (create || !pipe.IsDefault || tables.Of(pipe.Table).WasStreamed(pipe.Name))
            ? pipe
            : throw RefusedException.Missing(
                "ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED",
                $"Pipe {call.Name("pipe")} does not exist in {database}.{schema} or is not authorized."
            );
    }
}
