using System.Text.RegularExpressions;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Attributes that a bucket may demand of each object: encryption, storage class, tags. Immutable.</summary>
sealed partial record ObjectAttributes
{
    /// <summary>
    /// Classes whose objects Snowflake can read at once. EXPRESS_ONEZONE needs a directory bucket, which cannot notify Snowpipe.
    /// </summary>
    static readonly string[] ReadableClasses =
    [
        "STANDARD",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER_IR",
        "REDUCED_REDUNDANCY",
    ];

    static readonly string[] Encryptions = ["AES256", "aws:kms", "aws:kms:dsse"];

    /// <summary><c>x-amz-server-side-encryption</c>: AES256, aws:kms or aws:kms:dsse; null: the bucket's default.</summary>
    public string? Encryption { get; init; }

    /// <summary>Key id, ARN or alias of the KMS key; null: the account's own key for S3.</summary>
    public string? KmsKeyId { get; init; }

    /// <summary>
    /// Whether the bucket has its own key between KMS and the objects, which makes KMS requests rare; null: the bucket's default.
    /// </summary>
    public bool? BucketKey { get; init; }

    /// <summary>Null: the bucket's default, STANDARD.</summary>
    public string? StorageClass { get; init; }

    /// <summary>At most ten.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Tags { get; init; } = [];

    /// <param name="settings">Receives the problems.</param>
    /// <param name="region">The bucket's region, to check the key's region.</param>
    /// <param name="isAmazon">Whether the bucket is Amazon's: other stores have their own keys and classes.</param>
    public static ObjectAttributes Load(Settings settings, string region, bool isAmazon)
    {
        var encryption = LoadEncryption(settings);
        var isKms = encryption?.StartsWith("aws:kms", StringComparison.Ordinal) == true;
        return new ObjectAttributes
        {
            Encryption = encryption,
            KmsKeyId = LoadKey(settings, isKms, region, isAmazon),
            BucketKey = LoadBucketKey(settings, encryption),
            StorageClass = LoadStorageClass(settings, isAmazon),
            Tags = LoadTags(settings),
        };
    }

    static string? LoadEncryption(Settings settings)
    {
        if (
            settings.OptionalText(
                "S3_SSE",
                "Encryption of the objects: AES256 (SSE-S3), aws:kms (SSE-KMS) or aws:kms:dsse. Not set: the bucket's default."
            )
            is not { } text
        )
            return null;
        var known = Encryptions.FirstOrDefault(encryption => encryption.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (known is null)
        {
            var meant = text.ToUpperInvariant() switch
            {
                "SSE-S3" or "S3" or "AES" or "AES-256" or "TRUE" => "; for SSE-S3 write S3_SSE=AES256",
                "SSE-KMS" or "KMS" or "AWS-KMS" or "AWS_KMS" => "; for SSE-KMS write S3_SSE=aws:kms",
                "SSE-C" => "; SSE-C (a key of one's own with each request) cannot be used: Snowpipe could not read the objects",
                _ => "",
            };
            settings.Problem($"S3_SSE is '{text}'; it must be {string.Join(", ", Encryptions[..^1])} or {Encryptions[^1]}{meant}.");
        }
        return known;
    }

    static string? LoadKey(Settings settings, bool isKms, string region, bool isAmazon)
    {
        if (
            settings.OptionalText(
                "S3_SSE_KMS_KEY_ID",
                "KMS key for S3_SSE=aws:kms: its id, ARN or alias. Not set: the account's own key for S3, which Snowflake's role cannot "
                    + "use."
            )
            is not { } key
        )
            return null;
        string? why =
            !isKms ? "it needs S3_SSE=aws:kms or aws:kms:dsse"
            : key.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)) ? "it must not hold white space"
            : !isAmazon ? null
            : !KeyPattern().IsMatch(key)
                ? "it must be a key's id (1234abcd-12ab-34cd-56ef-1234567890ab), its ARN (arn:aws:kms:region:account:key/…) or an alias "
                    + "(alias/…)"
            : key.StartsWith("arn:", StringComparison.Ordinal) && key.Split(':')[3] != region
                ? $"the key is in {key.Split(':')[3]}; it must be in the bucket's region, {region} (AWS_REGION)"
            : null;
        if (why is not null)
            settings.Problem($"S3_SSE_KMS_KEY_ID is '{key}'; {why}.");
        return key;
    }

    static bool? LoadBucketKey(Settings settings, string? encryption)
    {
        var value = settings.Flag(
            "S3_BUCKET_KEY",
            false,
            "With S3_SSE=aws:kms: true asks S3 to use a bucket key, which makes most requests to KMS unnecessary. Not set: the bucket's "
                + "default."
        );
        if (!settings.Has("S3_BUCKET_KEY"))
            return null;
        if (value && encryption != "aws:kms")
            settings.Problem(
                "S3_BUCKET_KEY is 'true'; it needs "
                    + $"S3_SSE=aws:kms{(encryption is null ? "" : $" and does not go with S3_SSE={encryption}")}."
            );
        return encryption == "aws:kms" ? value : null;
    }

    static string? LoadStorageClass(Settings settings, bool isAmazon)
    {
        if (
            settings.OptionalText(
                "S3_STORAGE_CLASS",
                $"Storage class of the objects: {string.Join(", ", ReadableClasses)}. Not set: the bucket's default."
            )
            is not { } text
        )
            return null;
        var name = isAmazon ? text.ToUpperInvariant() : text;
        string? why = name.ToUpperInvariant() switch
        {
            "GLACIER" or "DEEP_ARCHIVE" =>
                "Snowpipe cannot read archived objects until somebody restores them, so their readings would never reach the table; "
                    + "GLACIER_IR is the archive that can be read at once",
            "EXPRESS_ONEZONE" => "it exists in directory buckets only, which cannot tell Snowpipe of new objects",
            _ when isAmazon && !ReadableClasses.Contains(name) => $"it must be one of {string.Join(", ", ReadableClasses)}",
            _ when !ClassPattern().IsMatch(name) => "it must be one word of letters, digits, - and _",
            _ => null,
        };
        if (why is not null)
            settings.Problem($"S3_STORAGE_CLASS is '{text}'; {why}.");
        return name;
    }

    /// <remarks>Rules: Amazon S3 User Guide, "Categorizing your objects using tags".</remarks>
    static List<KeyValuePair<string, string>> LoadTags(Settings settings)
    {
        var tags = new List<KeyValuePair<string, string>>();
        if (
            settings.OptionalText(
                "S3_TAGS",
                "Tags of each object, key=value, several joined by & or by commas. They need the right s3:PutObjectTagging."
            )
            is not { } text
        )
            return tags;
        foreach (var part in text.Split(['&', ','], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=');
            var key = Uri.UnescapeDataString(equals < 0 ? part : part[..equals]).Trim();
            var value = equals < 0 ? "" : Uri.UnescapeDataString(part[(equals + 1)..]).Trim();
            string? why =
                equals < 0 ? $"'{part}' has no ="
                : key.Length is 0 or > 128 || value.Length > 256
                    ? $"in '{part}' the key must have 1 to 128 characters and the value at most 256"
                : key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase) ? $"keys that start with aws: are Amazon's own ('{key}')"
                : !TagPattern().IsMatch(key + value) ? $"in '{part}' only letters, digits, spaces and + - = . _ : / @ are allowed"
                : tags.Exists(tag => tag.Key == key) ? $"the key '{key}' is there twice"
                : null;
            if (why is not null)
                settings.Problem($"S3_TAGS is '{text}'; {why}. Example: S3_TAGS=team=energy&site=roof");
            tags.Add(KeyValuePair.Create(key, value));
        }
        if (tags.Count > 10)
            settings.Problem($"S3_TAGS has {tags.Count} tags; an object can have 10.");
        return tags;
    }

    [GeneratedRegex(
        "^((arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/.+)|(alias/.+)|(mrk-[0-9a-f]{32})|([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}))$"
    )]
    private static partial Regex KeyPattern();

    [GeneratedRegex("^[A-Za-z0-9_-]{1,64}$")]
    private static partial Regex ClassPattern();

    [GeneratedRegex(@"^[\p{L}\p{Nd} +\-=._:/@]*$")]
    private static partial Regex TagPattern();
}
