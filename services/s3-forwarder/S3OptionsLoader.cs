using System.Net;
using System.Text.RegularExpressions;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder;

/// <summary>Reads <see cref="S3Options"/> from the settings and reports every problem in them.</summary>
static partial class S3OptionsLoader
{
    /// <summary>Used if a stand-in does not care but a signature needs one.</summary>
    const string StandInRegion = "us-east-1";

    /// <summary>A key is at most 1,024 bytes; the date, the times and numbers after the prefix are well below 300.</summary>
    const int MaxPrefixLength = 700;

    static readonly string[] endpointKeys = ["S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];

    public static S3Options Load(Settings settings)
    {
        foreach (var name in new[] { "BATCH_MAX_READINGS", "BATCH_MAX_BYTES", "BATCH_LINGER" })
            settings.Retired(name, $"set S3_{name} in its place.");
        var endpoint = LoadEndpoint(settings);
        var region =
            settings.OptionalText(
                "AWS_REGION",
                "Region of the bucket. With S3_ENDPOINT_URL, what that store calls its region (auto, garage, us-west-004, …)."
            ) ?? settings.OptionalText("AWS_DEFAULT_REGION", "The same, read where AWS_REGION is not set.");
        if (region is null && endpoint is null)
            settings.Problem(
                "AWS_REGION is not set; set it to the region of your bucket, for example AWS_REGION=eu-central-1 (aws s3api "
                    + "get-bucket-location says which)."
            );
        else if (region is not null && AwsRegion.Problem(region, isAmazon: !endpointKeys.Any(settings.Has)) is { } problem)
            settings.Problem($"AWS_REGION is '{region}'; {problem}");
        var bucket = LoadBucket(settings);
        var prefix = LoadPrefix(
            settings,
            "S3_FILE_PREFIX",
            "inverter-data/",
            "Start of the objects' keys; the bucket notification watches it."
        );
        var quarantine = LoadPrefix(
            settings,
            "S3_QUARANTINE_PREFIX",
            "inverter-quarantine/",
            "Start of the keys of readings that break a rule; nothing may load them."
        );
        if (quarantine.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(quarantine, StringComparison.Ordinal))
            settings.Problem(
                $"S3_QUARANTINE_PREFIX is '{quarantine}' and S3_FILE_PREFIX is '{prefix}'; neither may lie below the other, or quarantined "
                    + "readings would be loaded."
            );
        var defaults = LoadDefaults(settings);
        return new S3Options
        {
            Endpoint = endpoint,
            Region = region ?? StandInRegion,
            Bucket = bucket,
            Prefix = prefix,
            QuarantinePrefix = quarantine,
            Credentials = AwsCredentialsLoader.Load(settings, region ?? StandInRegion, isAmazon: endpoint is null),
            PathStyle = settings.Flag(
                "S3_PATH_STYLE",
                endpoint is not null,
                "The bucket in the path of requests instead of the host's name; by default with S3_ENDPOINT_URL only."
            ),
            MaxAttempts = settings.WholeNumber(
                "AWS_MAX_ATTEMPTS",
                2,
                1,
                10,
                "How often a request is sent in quick succession; after that the delivery loop retries, without end, every 0.5 to 60 s."
            ),
            Attributes = ObjectAttributes.Load(settings, region ?? StandInRegion, isAmazon: endpoint is null),
            Checksum = settings.Choice(
                "S3_CHECKSUM",
                UploadChecksum.Crc32C,
                "Checksum that each upload carries and the store verifies; Md5 or None for stores that support no other."
            ),
            Partitions = PartitionLimits.Load(settings),
            Files = settings.WholeNumber(
                "NUM_FILES",
                defaults.Files,
                1,
                100,
                "Objects that the readings of a batch and date are split into, so that the loader reads them in parallel."
            ),
            Limits = new BatchLimits(
                settings.WholeNumber("S3_BATCH_MAX_READINGS", defaults.MaxReadings, 1, 1_000_000, "Most readings in a batch."),
                (int)
                    settings.Bytes(
                        "S3_BATCH_MAX_BYTES",
                        defaults.MaxBytes,
                        64 << 10,
                        512 << 20,
                        "Most JSON in a batch before compression, by a safe estimate; about this much memory is used while it is uploaded."
                    ),
                settings.Duration(
                    "S3_BATCH_LINGER",
                    TimeSpan.FromMinutes(1),
                    TimeSpan.FromMilliseconds(100),
                    TimeSpan.FromHours(1),
                    "How long the first reading of a batch waits for others before the batch is uploaded as it is."
                )
            ),
            Format = settings.Choice(
                "S3_FORMAT",
                ObjectFormat.NdJson,
                "Rows as lines, or as one array (file format with STRIP_OUTER_ARRAY)."
            ),
            Compression = settings.Choice("S3_COMPRESS", defaults.Compression, "Compression of the objects."),
            TimeZone = LoadTimeZone(settings),
            Template = LoadTemplate(settings, Math.Max(prefix.Length, quarantine.Length)),
            Validation = settings.Choice("VALIDATION", InvalidReadings.Quarantine, "Where readings go that break a rejecting rule."),
            Rules = RuleSettings.Load(settings),
        };
    }

    static Uri? LoadEndpoint(Settings settings)
    {
        _ = settings.OptionalText(
            "S3_ENDPOINT_URL",
            "A server with the S3 protocol instead of Amazon's, for example http://localstack:4566. AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL "
                + "are read too."
        );
        if (endpointKeys.FirstOrDefault(settings.Has) is not { } key)
            return null;
        var text = settings.OptionalText(key, "The same, as the AWS CLI calls it.")!;
        if (
            Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && uri.Scheme is "http" or "https"
            && uri.AbsolutePath == "/"
            && uri.Query.Length == 0
            && uri.UserInfo.Length == 0
        )
            return uri;
        settings.Problem(
            $"{key} is '{text}'; it must be http://host:port or https://host:port without a path, for example " + "http://localstack:4566."
        );
        return null;
    }

    /// <remarks>Rules: Amazon S3 User Guide, "General purpose bucket naming rules".</remarks>
    static string LoadBucket(Settings settings)
    {
        var bucket = settings.Required(
            "S3_BUCKET",
            "Name of the bucket.",
            "set it to the name of the bucket that readings go to, for example S3_BUCKET=my-inverters."
        );
        if (bucket.Length == 0)
            return bucket;
        string? why =
            bucket.StartsWith("s3:", StringComparison.OrdinalIgnoreCase) || bucket.Contains('/')
                ? "give the bare name, without s3:// and without slashes"
            : bucket.StartsWith("arn:", StringComparison.OrdinalIgnoreCase) ? "give the bare name, not its ARN"
            : bucket.Length is < 3 or > 63 ? "a bucket's name has 3 to 63 characters"
            : !BucketPattern().IsMatch(bucket)
                ? "a bucket's name has only lower-case letters, digits, hyphens and dots, and a letter or digit at both ends"
            : bucket.Contains("..", StringComparison.Ordinal) ? "two dots must not stand side by side"
            : IPAddress.TryParse(bucket, out _) && bucket.Split('.').Length == 4 ? "it must not look like an IP address"
            : bucket.StartsWith("xn--", StringComparison.Ordinal)
            || bucket.StartsWith("sthree-", StringComparison.Ordinal)
            || bucket.EndsWith("-s3alias", StringComparison.Ordinal)
            || bucket.EndsWith("--ol-s3", StringComparison.Ordinal)
            || bucket.EndsWith("--x-s3", StringComparison.Ordinal)
                ? "this beginning or end is reserved by Amazon for something else than a general purpose bucket"
            : null;
        if (why is not null)
            settings.Problem($"S3_BUCKET is '{bucket}'; {why}.");
        return bucket;
    }

    static string LoadPrefix(Settings settings, string key, string defaultValue, string description)
    {
        var prefix = settings.Text(key, defaultValue, description);
        if (!prefix.EndsWith('/'))
            prefix += '/';
        string? why =
            prefix.StartsWith('/') ? "it must not start with a slash (the slash would become part of the key)"
            : prefix.Contains("//", StringComparison.Ordinal) ? "it must not hold an empty folder (//)"
            : prefix.Split('/').Any(folder => folder is "." or "..") ? "it must not hold the folders . or .."
            : prefix.Length > MaxPrefixLength ? $"it must not be longer than {MaxPrefixLength} characters"
            : !PrefixPattern().IsMatch(prefix) ? "only letters, digits and ! - _ . * ' ( ) / = are safe in a key"
            : null;
        if (why is not null)
            settings.Problem($"{key} is '{prefix}'; {why}. Example: {key}={defaultValue}");
        return prefix;
    }

    static BatchDefaults LoadDefaults(Settings settings) =>
        BatchDefaults.Of(
            settings.Choice(
                "PRESET",
                BatchPreset.Fresh,
                "Defaults for batches: large-files means NUM_FILES=1, S3_COMPRESS=gzip and up to 100 MB of JSON in a file, one a minute."
            )
        );

    static PartitionTemplate LoadTemplate(Settings settings, int prefixLength)
    {
        var text = settings.Text(
            "PARTITION_TEMPLATE",
            PartitionTemplate.Default.ToString(),
            "Folder of an object below the prefix, from its readings: {date} or {year}, {month} and {day}; {hour}, {device}, {kind}."
        );
        var template = PartitionTemplate.Parse(text, out var problem);
        if (template is not null && prefixLength + template.LongestFolder > MaxPrefixLength + PartitionTemplate.Default.LongestFolder)
            problem = $"makes keys too long together with the prefixes; at most {MaxPrefixLength} characters are taken for both";
        if (problem is not null)
            settings.Problem(
                $"PARTITION_TEMPLATE is '{text}'; it {problem}. Example: PARTITION_TEMPLATE=year={{year}}/month={{month}}/day={{day}}/hour={{hour}}"
            );
        return template ?? PartitionTemplate.Default;
    }

    static TimeZoneInfo LoadTimeZone(Settings settings)
    {
        var name = settings.Text(
            "PARTITION_TIME_ZONE",
            "UTC",
            "Zone whose calendar the dates in the keys follow, for example Europe/Berlin."
        );
        if (name.Equals("UTC", StringComparison.OrdinalIgnoreCase))
            return TimeZoneInfo.Utc;
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(name);
        }
        catch (Exception e)
            when (e
                    is TimeZoneNotFoundException
                        or InvalidTimeZoneException
                        or System.Security.SecurityException
                        or UnauthorizedAccessException
            )
        {
            settings.Problem(
                $"PARTITION_TIME_ZONE is '{name}', which this system does not know; it must be UTC or an IANA name such as Europe/Berlin, "
                    + "and the zone files must be installed (package tzdata; /usr/share/zoneinfo)."
            );
            return TimeZoneInfo.Utc;
        }
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9.-]*[a-z0-9]$")]
    private static partial Regex BucketPattern();

    [GeneratedRegex("^[A-Za-z0-9!_.*'()/=-]+$")]
    private static partial Regex PrefixPattern();
}
