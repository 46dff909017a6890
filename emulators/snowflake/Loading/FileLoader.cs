using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using ZstdSharp;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Loads one object through one pipe, as classic Snowpipe does. Safe for concurrent use.</summary>
sealed class FileLoader
{
    /// <summary>How long the store may send nothing within an object.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly IAmazonS3 store;
    readonly StreamingTables tables;
    readonly LoadFaults faults;
    readonly TimeProvider clock;

    /// <summary>Directory of rows waiting until their file has been read.</summary>
    readonly string spools;

    /// <summary>Also removes waiting rows of an earlier process.</summary>
    public FileLoader(IAmazonS3 store, StreamingTables tables, LoadFaults faults, EmulatorSettings settings, TimeProvider clock)
    {
        this.store = store;
        this.tables = tables;
        this.faults = faults;
        this.clock = clock;
        spools = Path.Combine(settings.DataDirectory, "loading");
        LoadSpool.Clear(spools);
    }

    /// <summary>
    /// Fetches the object, reads it, and puts its rows into the table together with its entry in the load history. An object whose path the
    /// pipe has read before is skipped, whatever its content.
    /// </summary>
    /// <param name="pipe">The pipe.</param>
    /// <param name="key">Key of the object in the bucket of the pipe's stage.</param>
    /// <param name="receivedAt">When the pipe heard of it.</param>
    /// <param name="cancellationToken">Ends the work without effect.</param>
    /// <returns>The entry of the history; null if the object was skipped.</returns>
    /// <exception cref="Exception">The store or the disk refuses; retry.</exception>
    public async Task<FileLoad?> LoadAsync(LoadPipe pipe, string key, DateTimeOffset receivedAt, CancellationToken cancellationToken)
    {
        var table = tables.Of(pipe.Table);
        if (table.HasRead(pipe.FullName, pipe.PathOf(key)))
            return null;
        var entry = new FileLoad
        {
            Pipe = pipe.FullName,
            Path = pipe.PathOf(key),
            StageLocation = pipe.StageLocation,
            Status = LoadStatus.LoadFailed,
            ReceivedMs = receivedAt.ToUnixTimeMilliseconds(),
            LoadedMs = 0,
            ErrorLimit = pipe.OnError is { Limit: { } limit, IsPercent: false } ? limit : long.MaxValue,
        };
        using var answer = await faults.RunAsync(
            LoadStep.Fetch,
            key,
            () => FetchAsync(pipe.Stage.Bucket, key, cancellationToken),
            cancellationToken
        );
        if (answer is null)
        {
            var missing = new LoadError(
                $"Remote file '{pipe.StageLocation}{entry.Path}' was not found. It was deleted before it was loaded"
            );
            return await FinishAsync(table, key, entry with { Errors = 1, FirstError = missing }, null, cancellationToken);
        }
        var written = new DateTimeOffset(answer.LastModified!.Value.ToUniversalTime());
        // The pipe no longer remembers whether it has read an object this old. Its notification is a repeat: an object is announced when it
        // is written.
        if (clock.GetUtcNow() - written > LoadTable.Memory)
            return null;
        using var spool = new LoadSpool(spools);
        var file = new ObjectInfo(key, answer.ETag.Trim('"'), written, clock.GetUtcNow());
        entry = await ReadAsync(
            pipe,
            file,
            entry with
            {
                ContentKey = file.ContentKey,
                Size = answer.ContentLength,
            },
            answer,
            spool,
            cancellationToken
        );
        return await FinishAsync(table, key, entry, entry.RowsLoaded > 0 ? spool : null, cancellationToken);
    }

    /// <returns>Null if there is no such object.</returns>
    async Task<GetObjectResponse?> FetchAsync(string bucket, string key, CancellationToken cancellationToken)
    {
        try
        {
            return await store.GetObjectAsync(bucket, key, cancellationToken);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket")
        {
            return null;
        }
    }

    async Task<FileLoad> ReadAsync(
        LoadPipe pipe,
        ObjectInfo file,
        FileLoad entry,
        GetObjectResponse answer,
        LoadSpool spool,
        CancellationToken cancellationToken
    )
    {
        var compression = pipe.Format.Compression;
        long records = 0,
            errors = 0,
            length = 0;
        LoadError? first = null;
        var content = new PatientStream(answer.ResponseStream, Patience, clock);
        try
        {
            (var plain, compression) = await Decompression.OpenAsync(content, file.Key, compression, cancellationToken);
            await using (plain)
            {
                var reader = new JsonRecordReader(plain, pipe.Format.StripOuterArray);
                using var mapper = new LoadMapper(pipe, tables.Catalog.DefaultPipeOf(pipe.Table), file);
                while (await reader.ReadAsync(cancellationToken))
                {
                    records++;
                    var error = reader.Error ?? ErrorOf(mapper.TryMap(reader.Record, records), reader);
                    first ??= error;
                    if (error is not null)
                        errors++;
                    else if (!pipe.OnError.SkipsAnyway(errors))
                        spool.Add(mapper.Row);
                }
                length = reader.Length;
                spool.Complete();
            }
        }
        catch (Exception e) when (e is InvalidDataException or ZstdException or EndOfStreamException)
        {
            // Whatever ON_ERROR says: a file that cannot be decompressed loads nothing.
            return entry with
            {
                Errors = 1,
                FirstError = new LoadError(
                    $"Invalid data encountered during decompression for file: '{file.Key}', compression type used: "
                        + $"'{compression.ToString().ToUpperInvariant()}', cause: '{e.Message}'"
                ),
            };
        }
        var loaded = pipe.OnError.Skips(errors, records) ? 0 : records - errors;
        return entry with
        {
            Status =
                errors == 0 ? LoadStatus.Loaded
                : loaded > 0 ? LoadStatus.PartiallyLoaded
                : LoadStatus.LoadFailed,
            UncompressedSize = length,
            RowsParsed = records,
            RowsLoaded = loaded,
            Errors = errors,
            FirstError = first,
        };
    }

    static LoadError? ErrorOf(string? problem, JsonRecordReader reader) =>
        problem is null ? null
        : problem.Split(", column ", 2) is [var message, var column] ? new LoadError(message, reader.Line, reader.Character, column)
        : new LoadError(problem, reader.Line, reader.Character);

    Task<FileLoad?> FinishAsync(TableStore table, string key, FileLoad entry, LoadSpool? spool, CancellationToken cancellationToken) =>
        faults.RunAsync(
            LoadStep.Load,
            key,
            () =>
            {
                var finished = entry with { LoadedMs = clock.GetUtcNow().ToUnixTimeMilliseconds() };
                return Task.FromResult(table.Load(finished, spool) ? finished : null);
            },
            cancellationToken
        );
}
