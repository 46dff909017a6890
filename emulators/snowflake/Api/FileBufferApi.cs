namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>The append endpoint whose body names uploaded files. Safe for concurrent use.</summary>
sealed class FileBufferApi(Appender appender, Stage stage, PipeKeys keys) : IDisposable
{
    // Each call here holds the compressed rows of its fragments, up to the size of a file, in memory.
    readonly SemaphoreSlim turns = new(2);

    /// <summary>POST: appends the rows of fragments of uploaded files to a channel, all or none.</summary>
    public async Task Append(HttpContext call)
    {
        var append = Appender.Begin(call);
        var fragments = await JsonBody.ReadAsync(call, FileFragment.ReadList);
        // A repeated call is answered without its files, which may have been deleted.
        if (!await appender.IsNew(call, append))
            return;
        await turns.WaitAsync(call.RequestAborted);
        try
        {
            await appender.Append(call, append, Join(append.Pipe, fragments));
        }
        finally
        {
            turns.Release();
        }
        foreach (var whole in fragments.Where(f => f.Length == f.FileLength))
            stage.Used(KeyOf(whole));
    }

    /// <summary>Checks, reads and decrypts the fragments, and joins them: compressed frames one after another are one body.</summary>
    /// <exception cref="RefusedException">A fragment differs from the uploaded data.</exception>
    RowsToAppend Join(Pipe pipe, List<FileFragment> fragments)
    {
        var files = fragments.ConvertAll(fragment => Check(pipe, fragment));
        if (fragments.Sum(f => (decimal)f.Length) > Stage.MaxFile)
            throw Refused($"The fragments have more than {Stage.MaxFile} bytes together.");

        var body = GC.AllocateUninitializedArray<byte>((int)fragments.Sum(f => f.Length));
        var key = keys.Key(pipe);
        RowEncoding? encoding = null;
        var at = 0;
        for (var i = 0; i < fragments.Count; i++)
        {
            var part = body.AsSpan(at, (int)fragments[i].Length);
            Stage.Read(files[i], fragments[i].Offset, part);
            AesCtr.Transform(key, fragments[i].Iv, part);
            var found = EncodingOf(part);
            if ((encoding ??= found) != found)
                throw Refused("The fragments are not all compressed in the same way.");
            at += part.Length;
        }
        return new RowsToAppend(
            encoding!.Value,
            body,
            new OffsetTokens(fragments[0].Tokens.Start, fragments[^1].Tokens.End),
            fragments.Sum(f => f.Rows)
        );
    }

    /// <returns>The file that holds the fragment.</returns>
    StagedFile Check(Pipe pipe, FileFragment fragment)
    {
        RefusedException Wrong(string problem) => Refused($"{fragment.FilePath}: {problem}.");

        if (fragment.EncryptionVersion != PipeKeys.EncryptionVersion)
            throw Wrong($"encryption_version must be {PipeKeys.EncryptionVersion}");
        if (fragment.KeyId != PipeKeys.KeyId || fragment.Diversifier != keys.Diversifier(pipe))
            throw Wrong("master_key_id and diversifier must be those of this pipe's encryption_info");
        if (!fragment.FilePath.StartsWith($"{Stage.Bucket}/{keys.Folder(pipe)}", StringComparison.Ordinal))
            throw Wrong("the file is not in this pipe's stage location");
        var file =
            stage.Find(KeyOf(fragment))
            ?? throw Wrong($"there is no such file; one that is not appended is kept for {Stage.Lifetime.TotalMinutes:0} min");
        if (file.ETag != fragment.FileETag || file.Length != fragment.FileLength)
        {
            throw Wrong(
                $"the file in the stage has ETag {file.ETag} and {file.Length} bytes, "
                    + $"not {fragment.FileETag} and {fragment.FileLength}"
            );
        }
        if (fragment.Length == 0 || fragment.Offset > file.Length - fragment.Length)
            throw Wrong("the fragment is not within the file");
        return file;
    }

    static string KeyOf(FileFragment fragment) => fragment.FilePath[(Stage.Bucket.Length + 1)..];

    /// <summary>Detected by the magic numbers of RFC 8878 and RFC 1952.</summary>
    static RowEncoding EncodingOf(ReadOnlySpan<byte> body) =>
        body is [0x28, 0xB5, 0x2F, 0xFD, ..] ? RowEncoding.Zstd
        : body is [0x1F, 0x8B, ..] ? RowEncoding.Gzip
        : RowEncoding.Identity;

    static RefusedException Refused(string message) => new(400, "ERR_INVALID_FILE_FRAGMENT", message);

    public void Dispose() => turns.Dispose();
}
