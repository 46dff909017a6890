using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Where the objects of a plan go.</summary>
sealed record Destination(string Bucket, string Prefix, string QuarantinePrefix);

/// <summary>The settings that decide what is in the objects of a plan, beside the readings themselves.</summary>
sealed record ContentSettings(ObjectFormat Format, ObjectCompression Compression, string TimeZone, InvalidReadings Validation, string Rules)
{
    /// <summary>The rules as text: a version of this service with other rules must not go on with a plan made by these.</summary>
    public static string RulesInForce { get; } = string.Join(';', InverterRule.All.Select(rule => string.Create(CultureInfo.InvariantCulture, $"{rule.Key}:{rule.Min}..{rule.Max}")));
}

/// <summary>What the readings of one object have in common.</summary>
readonly record struct GroupKey(ReadingKind Kind, DateOnly Date, bool Quarantined);

/// <summary>One object: the readings of its group from <paramref name="First"/> to before the next part's first.</summary>
sealed record PlannedPart(int Number, long First, int Rows);

/// <summary>The objects of one kind, date and fate.</summary>
sealed record PlannedGroup(GroupKey Key, IReadOnlyList<PlannedPart> Parts)
{
    /// <summary>Splits <paramref name="offsets"/> into at most <paramref name="files"/> parts whose sizes differ by one at most; none is empty, the order stays.</summary>
    public static PlannedGroup Split(GroupKey key, List<long> offsets, int files)
    {
        var count = Math.Min(files, offsets.Count);
        var parts = new PlannedPart[count];
        for (var i = 0; i < count; i++)
        {
            var from = (int)((long)i * offsets.Count / count);
            var to = (int)((i + 1L) * offsets.Count / count);
            parts[i] = new PlannedPart(i + 1, offsets[from], to - from);
        }
        return new PlannedGroup(key, parts);
    }

    /// <summary>Index of the part that holds a reading of this group.</summary>
    public int PartOf(long offset)
    {
        var index = Parts.Count - 1;
        while (index > 0 && Parts[index].First > offset)
            index--;
        return index;
    }
}

/// <summary>
/// Which objects a range of the journal becomes, decided once. Immutable; it is on disk before the first upload, so that after a crash the same objects are
/// made under the same keys, whatever the settings say by then.
/// </summary>
/// <remarks>
/// File <c>s3-plan.json</c> in the slot's directory, replaced atomically: a line of JSON and a line with its SHA-256 in hex. It stays when its last object is
/// uploaded: it is then what says, together with the journal's cursor, that the range is done (a cursor at or beyond <see cref="End"/>) or that its objects
/// must be made once more, which the bucket answers with 412 as they are there already. The next plan replaces it, and begins only where it ended.
/// </remarks>
sealed record BatchPlan
{
    public const string FileName = "s3-plan.json";

    const int FileVersion = 1;

    const int SealBytes = 1 + 64 + 1;

    /// <summary>Random; every object carries it, so that an object found under a key of this plan can be recognised as its own.</summary>
    public required string Id { get; init; }

    public required string Epoch { get; init; }

    public required string Slot { get; init; }

    /// <summary>First offset of the range.</summary>
    public required long First { get; init; }

    /// <summary>One past its last offset.</summary>
    public required long End { get; init; }

    /// <summary>Part of the keys, and <c>forwarded_at</c> of the rows. Microseconds.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    public required Destination Destination { get; init; }

    public required ContentSettings Settings { get; init; }

    public required IReadOnlyList<PlannedGroup> Groups { get; init; }

    public bool Covers(long first, long end) => first >= First && end == End;

    /// <summary>Design: {prefix}{date}/{kind}-{time}-{epoch}-{slot}-{first offset}-{part}of{n}.json[.gz].</summary>
    public string Key(PlannedGroup group, PlannedPart part)
    {
        var prefix = group.Key.Quarantined ? Destination.QuarantinePrefix : Destination.Prefix;
        var extension = Settings.Compression == ObjectCompression.Gzip ? "json.gz" : "json";
        return string.Create(CultureInfo.InvariantCulture,
            $"{prefix}{group.Key.Date:yyyy-MM-dd}/{Topics.Name(group.Key.Kind)}-{CreatedAt.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{Epoch}-{Slot}-{First:D20}-{part.Number}of{group.Parts.Count}.{extension}");
    }

    /// <exception cref="IOException">The disk refused it; the old plan is still there.</exception>
    public void Save(string directory)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
            Write(json);
        var seal = Convert.ToHexStringLower(SHA256.HashData(buffer.WrittenSpan));
        buffer.Write(Encoding.ASCII.GetBytes($"\n{seal}\n"));
        DurableFile.Replace(Path.Combine(directory, FileName), buffer.WrittenSpan);
    }

    /// <summary>Null when there is none.</summary>
    /// <exception cref="FormatException">There is a file, but it is not a plan of this version.</exception>
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
        if (!bytes.AsSpan(text.Length).SequenceEqual(Encoding.ASCII.GetBytes($"\n{Convert.ToHexStringLower(SHA256.HashData(text.Span))}\n")))
            throw new FormatException("its checksum does not match");
        try
        {
            using var document = JsonDocument.Parse(text);
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException or OverflowException)
        {
            throw new FormatException(e.Message, e);
        }
    }

    void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("version"u8, FileVersion);
        json.WriteString("id"u8, Id);
        json.WriteString("epoch"u8, Epoch);
        json.WriteString("slot"u8, Slot);
        json.WriteNumber("first"u8, First);
        json.WriteNumber("end"u8, End);
        json.WriteNumber("created_at_us"u8, Instants.ToMicroseconds(CreatedAt));
        json.WriteString("bucket"u8, Destination.Bucket);
        json.WriteString("prefix"u8, Destination.Prefix);
        json.WriteString("quarantine_prefix"u8, Destination.QuarantinePrefix);
        json.WriteString("format"u8, Settings.Format.ToString());
        json.WriteString("compression"u8, Settings.Compression.ToString());
        json.WriteString("time_zone"u8, Settings.TimeZone);
        json.WriteString("validation"u8, Settings.Validation.ToString());
        json.WriteString("rules"u8, Settings.Rules);
        json.WriteStartArray("groups"u8);
        foreach (var group in Groups)
        {
            json.WriteStartObject();
            json.WriteString("kind"u8, Topics.Name(group.Key.Kind));
            json.WriteString("date"u8, group.Key.Date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
            json.WriteBoolean("quarantined"u8, group.Key.Quarantined);
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

    static BatchPlan Read(JsonElement json)
    {
        if (json.GetProperty("version").GetInt32() != FileVersion)
            throw new FormatException($"version {json.GetProperty("version")} is not {FileVersion}");
        return new BatchPlan
        {
            Id = Text(json, "id"),
            Epoch = Text(json, "epoch"),
            Slot = Text(json, "slot"),
            First = json.GetProperty("first").GetInt64(),
            End = json.GetProperty("end").GetInt64(),
            CreatedAt = Instants.FromMicroseconds(json.GetProperty("created_at_us").GetInt64()),
            Destination = new Destination(Text(json, "bucket"), Text(json, "prefix"), Text(json, "quarantine_prefix")),
            Settings = new ContentSettings(
                Enum.Parse<ObjectFormat>(Text(json, "format")),
                Enum.Parse<ObjectCompression>(Text(json, "compression")),
                Text(json, "time_zone"),
                Enum.Parse<InvalidReadings>(Text(json, "validation")),
                Text(json, "rules")),
            Groups = [.. json.GetProperty("groups").EnumerateArray().Select(ReadGroup)],
        };
    }

    static PlannedGroup ReadGroup(JsonElement json) => new(
        new GroupKey(
            Text(json, "kind") == Topics.Name(ReadingKind.Thermal) ? ReadingKind.Thermal : ReadingKind.Inverter,
            DateOnly.ParseExact(Text(json, "date"), "yyyy-MM-dd", CultureInfo.InvariantCulture),
            json.GetProperty("quarantined").GetBoolean()),
        [.. json.GetProperty("parts").EnumerateArray().Select((part, index) => new PlannedPart(index + 1, part.GetProperty("first").GetInt64(), part.GetProperty("rows").GetInt32()))]);

    static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");
}

/// <summary>Decides for each reading which objects it belongs to, by the settings of a plan. Not thread-safe.</summary>
sealed class Classifier(InvalidReadings validation, TimeZoneInfo zone)
{
    /// <summary>The group of a reading, or null when it is to be dropped; and whether it breaks a rule.</summary>
    public GroupKey? Classify(BatchReading reading, out bool invalid)
    {
        var kind = reading.Payload.Kind;
        invalid = kind == ReadingKind.Inverter && BreaksARule(reading.Payload.Inverter(reading.Index));
        if (invalid && validation == InvalidReadings.Drop)
            return null;
        var observedAt = reading.Payload.ObservedAt(reading.Index);
        var local = zone.BaseUtcOffset == TimeSpan.Zero && !zone.SupportsDaylightSavingTime ? observedAt.UtcDateTime : TimeZoneInfo.ConvertTime(observedAt, zone).DateTime;
        return new GroupKey(kind, DateOnly.FromDateTime(local), invalid && validation == InvalidReadings.Quarantine);
    }

    static bool BreaksARule(InverterReading reading)
    {
        foreach (var rule in InverterRule.All)
        {
            // Broken() words the reason, which only the quarantine needs.
            if (rule.Value(reading) is not { } value || !(value >= rule.Min && value <= rule.Max))
                return true;
        }
        return false;
    }
}
