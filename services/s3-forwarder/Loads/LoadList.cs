using System.Buffers;
using System.Text.Json;

namespace ThermalStreaming.S3Forwarder;

/// <summary>What is known about uploaded objects until Snowpipe reports their load. Not thread-safe.</summary>
/// <remarks>
/// Lines of JSON: <c>{"file","rows","planned_at","uploaded_at","missed","refreshed_at"}</c> for each object not loaded yet (the last line
/// about an object counts), <c>{"unloaded","at","state","rows","rows_inserted","error"}</c> for the newest failures, and
/// <c>{"scanned_until"}</c>. A cut or damaged line is skipped.
/// </remarks>
sealed class LoadList
{
    /// <summary>More than any outage that the journal survives can accumulate; about 3 MB.</summary>
    public const int MostFiles = 10_000;

    public const int MostUnloaded = 20;

    readonly Dictionary<string, WatchedFile> files = new(StringComparer.Ordinal);
    readonly List<UnloadedFile> unloaded = [];

    /// <summary>The history has been read up to here, by Snowflake's clock.</summary>
    public DateTimeOffset? ScannedUntil { get; set; }

    /// <summary>Objects not loaded yet, in the order of their upload.</summary>
    public IReadOnlyCollection<WatchedFile> Files => files.Values;

    /// <summary>The newest failed files, oldest first.</summary>
    public IReadOnlyList<UnloadedFile> Unloaded => unloaded;

    /// <summary>Lines that could not be read.</summary>
    public int DamagedLines { get; private set; }

    public WatchedFile? Find(string address) => files.GetValueOrDefault(address);

    public void Put(WatchedFile file) => files[file.Address] = file;

    public bool Remove(string address) => files.Remove(address);

    public void Add(UnloadedFile file)
    {
        unloaded.RemoveAll(other => other.Address == file.Address);
        unloaded.Add(file);
        if (unloaded.Count > MostUnloaded)
            unloaded.RemoveAt(0);
    }

    public static LoadList Parse(ReadOnlySpan<byte> content)
    {
        var list = new LoadList();
        foreach (var range in content.Split((byte)'\n'))
        {
            var line = content[range];
            if (line.Length > 0 && !list.TryRead(line))
                list.DamagedLines++;
        }
        return list;
    }

    public byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>();
        if (ScannedUntil is { } until)
        {
            Line(buffer, json => json.WriteString("scanned_until"u8, until));
        }
        foreach (var file in unloaded)
        {
            Line(
                buffer,
                json =>
                {
                    json.WriteString("unloaded"u8, file.Address);
                    json.WriteString("at"u8, file.At);
                    json.WriteString("state"u8, file.State.ToString());
                    json.WriteNumber("rows"u8, file.Rows);
                    json.WriteNumber("rows_inserted"u8, file.RowsInserted);
                    json.WriteString("error"u8, file.FirstError);
                }
            );
        }
        Write(buffer, files.Values);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The lines of objects.</summary>
    public static void Write(ArrayBufferWriter<byte> buffer, IEnumerable<WatchedFile> files)
    {
        foreach (var file in files)
        {
            Line(
                buffer,
                json =>
                {
                    json.WriteString("file"u8, file.Address);
                    json.WriteNumber("rows"u8, file.Rows);
                    json.WriteString("planned_at"u8, file.PlannedAt);
                    json.WriteString("uploaded_at"u8, file.UploadedAt);
                    if (file.IsMissed)
                        json.WriteBoolean("missed"u8, true);
                    if (file.RefreshedAt is { } refreshedAt)
                        json.WriteString("refreshed_at"u8, refreshedAt);
                }
            );
        }
    }

    static void Line(ArrayBufferWriter<byte> buffer, Action<Utf8JsonWriter> write)
    {
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        buffer.Write("\n"u8);
    }

    bool TryRead(ReadOnlySpan<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line.ToArray());
            var json = document.RootElement;
            if (json.TryGetProperty("file", out var file))
            {
                Put(
                    new WatchedFile(
                        file.GetString() ?? throw new JsonException(),
                        json.GetProperty("rows").GetInt32(),
                        json.GetProperty("planned_at").GetDateTimeOffset(),
                        json.GetProperty("uploaded_at").GetDateTimeOffset()
                    )
                    {
                        IsMissed = json.TryGetProperty("missed", out _),
                        RefreshedAt = json.TryGetProperty("refreshed_at", out var refreshedAt) ? refreshedAt.GetDateTimeOffset() : null,
                    }
                );
            }
            else if (json.TryGetProperty("unloaded", out var failed))
            {
                Add(
                    new UnloadedFile(
                        failed.GetString() ?? throw new JsonException(),
                        json.GetProperty("at").GetDateTimeOffset(),
                        Enum.Parse<LoadState>(json.GetProperty("state").GetString() ?? ""),
                        json.GetProperty("rows").GetInt32(),
                        json.GetProperty("rows_inserted").GetInt64(),
                        json.GetProperty("error").GetString() ?? ""
                    )
                );
            }
            else
            {
                ScannedUntil = json.GetProperty("scanned_until").GetDateTimeOffset();
            }
            return true;
        }
        catch (Exception e)
            when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            return false;
        }
    }
}
