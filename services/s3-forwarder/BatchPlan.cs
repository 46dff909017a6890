using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Which objects a range of the journal becomes, decided once. Immutable. It is on disk before the first upload, so that after a crash the
/// same objects get the same keys, whatever the settings say by then.
/// </summary>
/// <remarks>
/// File <c>s3-plan.json</c> in the slot's directory, replaced atomically: a line of JSON and a line with its SHA-256 in hex. It stays after
/// its last object is uploaded. Together with the journal's cursor it then tells that the range is done (a cursor at or beyond
/// <see cref="End"/>) or that its objects must be made once more; the bucket answers with 412 for those that it already has. The next plan
/// replaces it, and begins only where it ended.
/// </remarks>
sealed record BatchPlan
{
    public const string FileName = "s3-plan.json";

    /// <summary>A plan that versions from before partition templates can finish.</summary>
    const int FileVersion = 1;

    /// <summary>A plan with a template other than one folder per day.</summary>
    const int TemplateVersion = 2;

    const int SealBytes = 1 + 64 + 1;

    const string DateFormat = "yyyy-MM-dd";

    /// <summary>Random; every object carries it, so that an object found under a key of this plan can be recognised as its own.</summary>
    public required string Id { get; init; }

    public required string Epoch { get; init; }

    public required string Slot { get; init; }

    /// <summary>First offset of the range.</summary>
    public required long First { get; init; }

    /// <summary>One past its last offset.</summary>
    public required long End { get; init; }

    /// <summary>
    /// Readings that the journal had between <see cref="First"/> and <see cref="End"/> when the plan was made; fewer than offsets if damage
    /// left a gap. Null in plans of earlier versions.
    /// </summary>
    public int? Readings { get; init; }

    /// <summary>Part of the keys, and <c>forwarded_at</c> of the rows. Microseconds.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    public required Destination Destination { get; init; }

    public required ContentSettings Settings { get; init; }

    public required IReadOnlyList<PlannedGroup> Groups { get; init; }

    public bool Covers(long first, long end) => first >= First && end == End;

    /// <summary>{prefix}{folder}/{kind}-{time}-{epoch}-{slot}-{first offset}-{part}of{n}.json[.gz|.zst].</summary>
    public string Key(PlannedGroup group, PlannedPart part)
    {
        var prefix = group.Key.Quarantined ? Destination.QuarantinePrefix : Destination.Prefix;
        var folder = group.Key.Date is { } date
            ? Settings.Folders.Folder(group.Key.Kind, date, group.Key.Hour, group.Key.Device)
            : PartitionLimits.OtherDates;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{prefix}{folder}/{Topics.Name(group.Key.Kind)}-{CreatedAt.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{Epoch}-{Slot}-{First:D20}-{part.Number}of{group.Parts.Count}.{Settings.Extension}"
        );
    }

    /// <exception cref="IOException">The disk refused it; the old plan is still there.</exception>
    public void Save(string directory)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
            Write(json);
        var seal = Convert.ToHexStringLower(SHA256.HashData(buffer.WrittenSpan));
        buffer.Write(Encoding.ASCII.GetBytes($"\n{seal}\n"));
        // Works on a full disk too: delivering by this plan frees the space.
        DurableFile.Replace(Path.Combine(directory, FileName), buffer.WrittenSpan, keepSpare: true);
    }

    /// <summary>Reads the plan; null if there is none.</summary>
    /// <exception cref="FormatException">There is a file, but it is not a plan.</exception>
    /// <exception cref="LaterFormatException">It is a plan of a later release.</exception>
    public static BatchPlan? Load(string directory)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(Path.Combine(directory, FileName));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        var text = bytes.AsMemory(0, Math.Max(0, bytes.Length - SealBytes));
        if (
            !bytes.AsSpan(text.Length).SequenceEqual(Encoding.ASCII.GetBytes($"\n{Convert.ToHexStringLower(SHA256.HashData(text.Span))}\n"))
        )
            throw new FormatException("its checksum does not match");
        try
        {
            using var document = JsonDocument.Parse(text);
            return Read(document.RootElement, Path.Combine(directory, FileName));
        }
        catch (Exception e)
            when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException or OverflowException)
        {
            throw new FormatException(e.Message, e);
        }
    }

    void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("version"u8, Settings.Template is null ? FileVersion : TemplateVersion);
        json.WriteString("id"u8, Id);
        json.WriteString("epoch"u8, Epoch);
        json.WriteString("slot"u8, Slot);
        json.WriteNumber("first"u8, First);
        json.WriteNumber("end"u8, End);
        if (Readings is { } readings)
            json.WriteNumber("readings"u8, readings);
        json.WriteNumber("created_at_us"u8, Instants.ToMicroseconds(CreatedAt));
        json.WriteString("bucket"u8, Destination.Bucket);
        json.WriteString("prefix"u8, Destination.Prefix);
        json.WriteString("quarantine_prefix"u8, Destination.QuarantinePrefix);
        json.WriteString("format"u8, Settings.Format.ToString());
        json.WriteString("compression"u8, Settings.Compression.ToString());
        json.WriteString("time_zone"u8, Settings.TimeZone);
        json.WriteString("validation"u8, Settings.Validation.ToString());
        json.WriteString("rules"u8, Settings.Rules);
        if (Settings.Template is { } template)
            json.WriteString("template"u8, template.ToString());
        json.WriteStartArray("groups"u8);
        foreach (var group in Groups)
        {
            json.WriteStartObject();
            json.WriteString("kind"u8, Topics.Name(group.Key.Kind));
            json.WriteString("date"u8, group.Key.Date?.ToString(DateFormat, CultureInfo.InvariantCulture));
            json.WriteBoolean("quarantined"u8, group.Key.Quarantined);
            if (group.Key.Hour is { } hour)
                json.WriteNumber("hour"u8, hour);
            if (group.Key.Device is { } device)
                json.WriteString("device"u8, device);
            json.WriteStartArray("parts"u8);
            foreach (var part in group.Parts)
            {
                json.WriteStartObject();
                json.WriteNumber("first"u8, part.First);
                json.WriteNumber("rows"u8, part.Rows);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static BatchPlan Read(JsonElement json, string path)
    {
        if (json.GetProperty("version").GetInt32() is > TemplateVersion and var later)
            throw new LaterFormatException(path, later, TemplateVersion);
        if (json.GetProperty("version").GetInt32() is not (FileVersion or TemplateVersion))
            throw new FormatException($"version {json.GetProperty("version")} is not {FileVersion} or {TemplateVersion}");
        return new BatchPlan
        {
            Id = Text(json, "id"),
            Epoch = Text(json, "epoch"),
            Slot = Text(json, "slot"),
            First = json.GetProperty("first").GetInt64(),
            End = json.GetProperty("end").GetInt64(),
            Readings = json.TryGetProperty("readings", out var readings) ? readings.GetInt32() : null,
            CreatedAt = Instants.FromMicroseconds(json.GetProperty("created_at_us").GetInt64()),
            Destination = new Destination(Text(json, "bucket"), Text(json, "prefix"), Text(json, "quarantine_prefix")),
            Settings = new ContentSettings(
                Enum.Parse<ObjectFormat>(Text(json, "format")),
                Enum.Parse<ObjectCompression>(Text(json, "compression")),
                Text(json, "time_zone"),
                Enum.Parse<InvalidReadings>(Text(json, "validation")),
                Text(json, "rules"),
                json.TryGetProperty("template", out _) ? ReadTemplate(Text(json, "template")) : null
            ),
            Groups = [.. json.GetProperty("groups").EnumerateArray().Select(ReadGroup)],
        };
    }

    static PartitionTemplate ReadTemplate(string text) =>
        PartitionTemplate.Parse(text, out var problem) ?? throw new FormatException($"template '{text}' {problem}");

    static PlannedGroup ReadGroup(JsonElement json) =>
        new(
            new GroupKey(
                Text(json, "kind") == Topics.Name(ReadingKind.Thermal) ? ReadingKind.Thermal : ReadingKind.Inverter,
                json.GetProperty("date").GetString() is { } date
                    ? DateOnly.ParseExact(date, DateFormat, CultureInfo.InvariantCulture)
                    : null,
                json.GetProperty("quarantined").GetBoolean(),
                json.TryGetProperty("hour", out var hour) ? hour.GetInt32() : null,
                json.TryGetProperty("device", out _) ? Text(json, "device") : null
            ),
            [
                .. json.GetProperty("parts")
                    .EnumerateArray()
                    .Select(
                        (part, index) =>
                            new PlannedPart(index + 1, part.GetProperty("first").GetInt64(), part.GetProperty("rows").GetInt32())
                    ),
            ]
        );

    static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");
}
