using System.Text.Json;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The append endpoint whose body names uploaded files. Safe for concurrent use.</summary>
sealed class FileBufferApi(Appender appender, Stage stage, PipeKeys keys) : IDisposable
{
    // Each call in here holds the compressed rows of its fragments, up to the size of a file, in memory.
    readonly SemaphoreSlim turns = new(2);

    /// <summary>POST: appends the rows of fragments of uploaded files to a channel, all or none.</summary>
    public async Task Append(HttpContext context, PipePath path, string channel)
    {
        if (await appender.Begin(context, path, channel, "filebuffer") is not { } call || !await Appender.Admit(context, call))
            return;
        if (await ReadFragments(context) is not { } fragments)
            return;
        // A repeated call is answered without its files, which may have gone.
        var outcome = appender.Check(call, out var next);
        if (outcome != AppendOutcome.Applied)
        {
            await Appender.Answer(context, call, outcome, next);
            return;
        }
        await turns.WaitAsync(context.RequestAborted);
        try
        {
            if (Join(call.Pipe, fragments, out var problem) is not { } rows)
            {
                await Reply.Error(context, 400, "ERR_INVALID_FILE_FRAGMENT", problem);
                return;
            }
            await appender.Append(context, call, rows);
        }
        finally
        {
            turns.Release();
        }
        if (context.Response.StatusCode != StatusCodes.Status200OK)
            return;
        foreach (var whole in fragments.Where(f => f.Length == f.FileLength))
            stage.Used(KeyOf(whole));
    }

    static async Task<List<FileFragment>?> ReadFragments(HttpContext context)
    {
        try
        {
            using var body = await CallGate.ReadJson(context) ?? throw new JsonException("it is empty");
            return FileFragment.ReadList(body.RootElement);
        }
        catch (Exception e) when (CallGate.IsBadJson(e))
        {
            await Reply.Error(context, 400, "ERR_INVALID_REQUEST_BODY", $"The body is not the JSON this endpoint takes: {e.Message}");
            return null;
        }
    }

    /// <summary>Checks, reads and decrypts the fragments, and joins them: compressed frames one after another are one body.</summary>
    /// <returns>Null with a sentence in <paramref name="problem"/> if a fragment is not what was uploaded.</returns>
    RowsToAppend? Join(Pipe pipe, List<FileFragment> fragments, out string problem)
    {
        var files = new List<StagedFile>();
        foreach (var fragment in fragments)
        {
            if (Check(pipe, fragment, out var file) is { } wrong)
            {
                problem = $"{fragment.FilePath}: {wrong}.";
                return null;
            }
            files.Add(file!);
        }
        problem = $"The fragments have more than {Stage.MaxFile} bytes together.";
        if (fragments.Sum(f => (decimal)f.Length) > Stage.MaxFile)
            return null;

        var body = GC.AllocateUninitializedArray<byte>((int)fragments.Sum(f => f.Length));
        var key = keys.Key(pipe);
        var at = 0;
        RowEncoding? encoding = null;
        for (var i = 0; i < fragments.Count; i++)
        {
            var part = body.AsSpan(at, (int)fragments[i].Length);
            Stage.Read(files[i], fragments[i].Offset, part);
            AesCtr.Transform(key, fragments[i].Iv, part);
            var found = EncodingOf(part);
            problem = "The fragments are not all compressed in the same way.";
            if ((encoding ??= found) != found)
                return null;
            at += part.Length;
        }
        return new RowsToAppend(encoding!.Value, body, new OffsetTokens(fragments[0].Tokens.Start, fragments[^1].Tokens.End),
            fragments.Sum(f => f.Rows));
    }

    /// <returns>What is wrong with a fragment; null if nothing is.</returns>
    string? Check(Pipe pipe, FileFragment fragment, out StagedFile? file)
    {
        file = null;
        if (fragment.EncryptionVersion != PipeKeys.EncryptionVersion)
            return $"encryption_version must be {PipeKeys.EncryptionVersion}";
        if (fragment.KeyId != PipeKeys.KeyId || fragment.Diversifier != keys.Diversifier(pipe))
            return "master_key_id and diversifier must be those of this pipe's encryption_info";
        if (!fragment.FilePath.StartsWith($"{Stage.Bucket}/{keys.Folder(pipe)}", StringComparison.Ordinal))
            return "the file is not in this pipe's stage location";
        file = stage.Find(KeyOf(fragment));
        if (file is null)
            return $"there is no such file; one that is not appended is kept for {Stage.Lifetime.TotalMinutes:0} min";
        if (file.ETag != fragment.FileETag || file.Length != fragment.FileLength)
            return $"the file in the stage has ETag {file.ETag} and {file.Length} bytes, not {fragment.FileETag} and {fragment.FileLength}";
        return fragment.Length > 0 && fragment.Offset <= file.Length - fragment.Length ? null : "the fragment is not within the file";
    }

    static string KeyOf(FileFragment fragment) => fragment.FilePath[(Stage.Bucket.Length + 1)..];

    static RowEncoding EncodingOf(ReadOnlySpan<byte> body) =>
        body.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? RowEncoding.Zstd
        : body.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? RowEncoding.Gzip
        : RowEncoding.Identity;

    public void Dispose() => turns.Dispose();
}
