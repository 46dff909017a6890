using Microsoft.Extensions.Configuration;
using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

public sealed class S3OptionsTests
{
    [Fact]
    public void The_originals_names_are_enough()
    {
        var (options, problems) = Load(
            ("AWS_REGION", "eu-central-1"),
            ("S3_BUCKET", "my-inverters"),
            ("S3_FILE_PREFIX", "inverter-data"),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("NUM_FILES", "6")
        );

        Assert.Empty(problems);
        Assert.Equal("inverter-data/", options.Prefix);
        Assert.Equal("inverter-quarantine/", options.QuarantinePrefix);
        Assert.Equal(6, options.Files);
        Assert.Equal(TimeSpan.FromMinutes(1), options.Limits.Linger);
        Assert.Equal(
            (ObjectFormat.NdJson, ObjectCompression.None, InvalidReadings.Quarantine),
            (options.Format, options.Compression, options.Validation)
        );
        Assert.Null(options.Endpoint);
        Assert.Equal("https://s3.eu-central-1.amazonaws.com/", options.Address.AbsoluteUri);
    }

    [Fact]
    public void Blank_keys_are_none_and_a_stand_in_needs_no_region()
    {
        var (options, problems) = Load(
            ("S3_BUCKET", "readings"),
            ("S3_ENDPOINT_URL", "http://localstack:4566"),
            ("AWS_ACCESS_KEY_ID", ""),
            ("AWS_SECRET_ACCESS_KEY", " "),
            ("AWS_EC2_METADATA_DISABLED", "false")
        );

        Assert.Empty(problems);
        Assert.Null(options.Credentials.KeyId);
        Assert.Equal("us-east-1", options.Region);
    }

    [Fact]
    public void Everything_that_is_missing_is_said_at_once()
    {
        var (_, problems) = Load(("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"));

        Assert.Equal(
            [
                "AWS_REGION is not set; set it to the region of your bucket, for example AWS_REGION=eu-central-1 (aws s3api "
                    + "get-bucket-location says which).",
                "S3_BUCKET is not set; set it to the name of the bucket that readings go to, for example S3_BUCKET=my-inverters.",
                "AWS_SECRET_ACCESS_KEY is not set but its counterpart is; set both, or neither to use a credentials file or a " + "role.",
            ],
            problems
        );
    }

    [Fact]
    public void The_secret_may_be_a_file_and_is_never_in_a_problem()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory.File("secret"), "topsecret\n");

        var (options, problems) = Load(
            ("S3_BUCKET", "UPPER"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY_FILE", directory.File("secret"))
        );

        Assert.Equal("topsecret", options.Credentials.Secret);
        Assert.DoesNotContain("topsecret", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("s3://my-bucket", "without s3://")]
    [InlineData("my/bucket", "without slashes")]
    [InlineData("arn:aws:s3:::b", "ARN")]
    [InlineData("ab", "3 to 63")]
    [InlineData("My-Bucket", "lower-case")]
    [InlineData("under_score", "lower-case")]
    [InlineData("-front", "both ends")]
    [InlineData("two..dots", "two dots")]
    [InlineData("192.168.1.1", "IP address")]
    [InlineData("xn--bucket", "reserved")]
    [InlineData("lake--x-s3", "reserved")]
    public void A_name_that_no_bucket_can_have_is_refused(string bucket, string why)
    {
        var (_, problems) = Load(("AWS_REGION", "eu-central-1"), ("S3_BUCKET", bucket));

        Assert.Contains(why, Assert.Single(problems), StringComparison.Ordinal);
        Assert.StartsWith($"S3_BUCKET is '{bucket}'; ", problems[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("S3_FILE_PREFIX", "/inverter-data/", "must not start with a slash")]
    [InlineData("S3_FILE_PREFIX", "a//b/", "empty folder")]
    [InlineData("S3_FILE_PREFIX", "a/../b", "folders . or ..")]
    [InlineData("S3_FILE_PREFIX", "a b/", "safe in a key")]
    [InlineData("S3_QUARANTINE_PREFIX", "inverter-data/bad/", "neither may lie below the other")]
    [InlineData("S3_FILE_PREFIX", "inverter-quarantine/x/", "neither may lie below the other")]
    [InlineData("S3_ENDPOINT_URL", "localstack:4566", "http://host:port")]
    [InlineData("S3_ENDPOINT_URL", "http://localstack:4566/bucket", "without a path")]
    [InlineData("NUM_FILES", "0", "1 to 100")]
    [InlineData("NUM_FILES", "101", "1 to 100")]
    [InlineData("PARTITION_TIME_ZONE", "Mars/Olympus", "IANA name")]
    [InlineData("VALIDATION", "ignore", "Quarantine, Drop, Forward")]
    [InlineData("S3_COMPRESS", "zip", "None, Gzip, Zstd")]
    [InlineData("BATCH_LINGER", "5s", "set S3_BATCH_LINGER in its place")]
    [InlineData("BATCH_MAX_READINGS", "5", "set S3_BATCH_MAX_READINGS in its place")]
    [InlineData("BATCH_MAX_BYTES", "5", "set S3_BATCH_MAX_BYTES in its place")]
    [InlineData("S3_FORMAT", "parquet", "NdJson, Array")]
    public void A_value_that_cannot_work_is_refused_with_what_is_allowed(string key, string value, string allowed)
    {
        var (_, problems) = Load(("AWS_REGION", "eu-central-1"), ("S3_BUCKET", "readings"), (key, value));

        Assert.Contains(allowed, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("garage")]
    [InlineData("us-west-004")]
    [InlineData("fsn1")]
    [InlineData("eu")]
    [InlineData("EU2")]
    [InlineData("default")]
    [InlineData("RegionOne")]
    [InlineData("us_east.1:x")]
    [InlineData("eu-central-003")]
    public void Another_stores_region_is_any_word(string region)
    {
        var (options, problems) = Load(("S3_BUCKET", "readings"), ("S3_ENDPOINT_URL", "https://s3.example.org"), ("AWS_REGION", region));

        Assert.Empty(problems);
        Assert.Equal(region, options.Region);
    }

    [Theory]
    [InlineData("eu central")]
    [InlineData("a/b")]
    public void Another_stores_region_is_one_word(string region) =>
        Assert.Contains(
            "one word",
            Assert.Single(Load(("S3_BUCKET", "readings"), ("S3_ENDPOINT_URL", "https://s3.example.org"), ("AWS_REGION", region)).Problems),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("Frankfurt", "set AWS_REGION=eu-central-1")]
    [InlineData("Europe (Frankfurt)", "set AWS_REGION=eu-central-1")]
    [InlineData("EU-CENTRAL-1", "set AWS_REGION=eu-central-1")]
    [InlineData("eu-central-1a", "set AWS_REGION=eu-central-1")]
    [InlineData("eu_central_1", "set AWS_REGION=eu-central-1")]
    [InlineData("eucentral1", "set AWS_REGION=eu-central-1")]
    [InlineData("eu-cental-1", "set AWS_REGION=eu-central-1")]
    [InlineData("https://s3.eu-central-1.amazonaws.com", "set AWS_REGION=eu-central-1")]
    [InlineData("s3-us-west-2.amazonaws.com", "set AWS_REGION=us-west-2")]
    [InlineData("EU", "set AWS_REGION=eu-west-1")]
    [InlineData("auto", "set S3_ENDPOINT_URL too")]
    [InlineData("garage", "set S3_ENDPOINT_URL too")]
    [InlineData("us-west-004", "set S3_ENDPOINT_URL too")]
    [InlineData("a region", "a region's code such as eu-central-1")]
    public void A_region_that_Amazon_does_not_have_is_named_with_the_right_form(string region, string words)
    {
        var (_, problems) = Load(("S3_BUCKET", "readings"), ("AWS_REGION", region));

        Assert.StartsWith($"AWS_REGION is '{region}'; ", Assert.Single(problems), StringComparison.Ordinal);
        Assert.Contains(words, problems[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("eu-central-1")]
    [InlineData("us-gov-west-1")]
    [InlineData("cn-north-1")]
    [InlineData("mx-central-1")]
    [InlineData("eu-north-9")]
    public void A_region_of_Amazon_is_taken_also_when_it_is_newer_than_this_program(string region) =>
        Assert.Empty(Load(("S3_BUCKET", "readings"), ("AWS_REGION", region)).Problems);

    [Fact]
    public void Attributes_of_objects_are_settings()
    {
        const string key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        var (options, problems) = Load(
            ("AWS_REGION", "eu-central-1"),
            ("S3_BUCKET", "readings"),
            ("S3_SSE", "AWS:KMS"),
            ("S3_SSE_KMS_KEY_ID", key),
            ("S3_BUCKET_KEY", "yes"),
            ("S3_STORAGE_CLASS", "standard_ia"),
            ("S3_TAGS", "team=energy, site=roof%20east"),
            ("S3_CHECKSUM", "sha256")
        );

        Assert.Empty(problems);
        Assert.Equal(
            ("aws:kms", key, true, "STANDARD_IA"),
            (options.Attributes.Encryption, options.Attributes.KmsKeyId, options.Attributes.BucketKey, options.Attributes.StorageClass)
        );
        Assert.Equal([KeyValuePair.Create("team", "energy"), KeyValuePair.Create("site", "roof east")], options.Attributes.Tags);
        Assert.Equal(UploadChecksum.Sha256, options.Checksum);
    }

    [Theory]
    [InlineData("S3_SSE", "SSE-S3", "for SSE-S3 write S3_SSE=AES256")]
    [InlineData("S3_SSE", "kms", "for SSE-KMS write S3_SSE=aws:kms")]
    [InlineData("S3_SSE", "SSE-C", "Snowpipe could not read")]
    [InlineData("S3_SSE", "rot13", "AES256, aws:kms or aws:kms:dsse")]
    [InlineData("S3_SSE_KMS_KEY_ID", "alias/mine", "needs S3_SSE=aws:kms")]
    [InlineData("S3_BUCKET_KEY", "true", "needs S3_SSE=aws:kms")]
    [InlineData("S3_BUCKET_KEY", "maybe", "true or false")]
    [InlineData("S3_STORAGE_CLASS", "GLACIER", "cannot read archived objects")]
    [InlineData("S3_STORAGE_CLASS", "deep_archive", "cannot read archived objects")]
    [InlineData("S3_STORAGE_CLASS", "EXPRESS_ONEZONE", "directory buckets")]
    [InlineData("S3_STORAGE_CLASS", "COLD", "STANDARD_IA")]
    [InlineData("S3_TAGS", "team", "has no =")]
    [InlineData("S3_TAGS", "aws:x=1", "Amazon's own")]
    [InlineData("S3_TAGS", "a=1&a=2", "twice")]
    [InlineData("S3_TAGS", "a=1;b=<2>", "only letters")]
    [InlineData("S3_TAGS", "a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1", "can have 10")]
    [InlineData("S3_CHECKSUM", "crc16", "Crc32C, Sha256, Md5, None")]
    [InlineData("PARTITION_MAX_DATES", "0", "1 to 366")]
    [InlineData("PARTITION_OLDEST", "1h", "1d to 36500d")]
    public void An_attribute_that_cannot_work_is_refused_at_the_start(string key, string value, string words)
    {
        var (_, problems) = Load(("AWS_REGION", "eu-central-1"), ("S3_BUCKET", "readings"), (key, value));

        Assert.Contains(words, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", "the key is in us-east-1")]
    [InlineData("my-key", "must be a key's id")]
    [InlineData("alias/my key", "white space")]
    public void A_key_that_cannot_be_the_buckets_is_refused(string key, string words) =>
        Assert.Contains(
            words,
            Assert.Single(
                Load(("AWS_REGION", "eu-central-1"), ("S3_BUCKET", "readings"), ("S3_SSE", "aws:kms"), ("S3_SSE_KMS_KEY_ID", key)).Problems
            ),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_store_of_ones_own_has_keys_and_classes_of_its_own_but_no_archive()
    {
        Assert.Empty(
            Load(
                ("S3_BUCKET", "readings"),
                ("S3_ENDPOINT_URL", "http://minio:9000"),
                ("S3_SSE", "aws:kms"),
                ("S3_SSE_KMS_KEY_ID", "my-minio-key"),
                ("S3_STORAGE_CLASS", "COLD-hdd")
            ).Problems
        );
        Assert.Single(Load(("S3_BUCKET", "readings"), ("S3_ENDPOINT_URL", "http://minio:9000"), ("S3_STORAGE_CLASS", "GLACIER")).Problems);
    }

    [Fact]
    public void The_AWS_CLIs_names_for_region_and_endpoint_are_read_too()
    {
        var (options, problems) = Load(
            ("S3_BUCKET", "readings"),
            ("AWS_DEFAULT_REGION", "garage"),
            ("AWS_ENDPOINT_URL", "http://store:3900"),
            ("AWS_MAX_ATTEMPTS", "5")
        );

        Assert.Empty(problems);
        Assert.Equal(
            ("garage", "http://store:3900/", true, 5),
            (options.Region, options.Endpoint!.AbsoluteUri, options.PathStyle, options.MaxAttempts)
        );
    }

    [Theory]
    [InlineData("", "true", true)]
    [InlineData("", "", false)]
    [InlineData("https://s3.example.org", "", true)]
    [InlineData("https://s3.example.org", "false", false)]
    public void The_bucket_stands_in_the_path_or_in_the_hosts_name(string endpoint, string asked, bool expected)
    {
        var (options, problems) = Load(
            ("S3_BUCKET", "readings"),
            ("AWS_REGION", "eu-central-1"),
            ("S3_ENDPOINT_URL", endpoint),
            ("S3_PATH_STYLE", asked)
        );

        Assert.Empty(problems);
        Assert.Equal(expected, options.PathStyle);
        Assert.Equal(expected, ((Amazon.S3.AmazonS3Config)S3Client.Create(options).Config).ForcePathStyle);
    }

    [Fact]
    public void Keys_come_from_a_credentials_file()
    {
        using var directory = new TempDirectory();
        var path = directory.File("credentials");
        File.WriteAllText(
            path,
            "[default]\naws_access_key_id = AKIADEFAULT0000000\naws_secret_access_key = "
                + "one\n\n[pi]\naws_access_key_id=AKIAPI00000000000\naws_secret_access_key=two\naws_session_token=three\n"
        );

        var (options, problems) = Load(
            ("AWS_REGION", "eu-central-1"),
            ("S3_BUCKET", "readings"),
            ("AWS_SHARED_CREDENTIALS_FILE", path),
            ("AWS_PROFILE", "pi")
        );

        Assert.Empty(problems);
        var keys = options.Credentials.Create().GetCredentials();
        Assert.Equal(("AKIAPI00000000000", "two", "three"), (keys.AccessKey, keys.SecretKey, keys.Token));
        Assert.Equal($"profile pi of {path}", options.Credentials.Description);
    }

    [Fact]
    public void Keys_that_are_set_win_over_the_file_and_each_may_be_a_file_of_its_own()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(
            directory.File("credentials"),
            "[default]\naws_access_key_id = AKIADEFAULT0000000\naws_secret_access_key = one\n"
        );
        File.WriteAllText(directory.File("id"), "AKIAFILE00000000000\n");
        File.WriteAllText(directory.File("secret"), "s\n");

        var (options, problems) = Load(
            ("AWS_REGION", "eu-central-1"),
            ("S3_BUCKET", "readings"),
            ("AWS_SHARED_CREDENTIALS_FILE", directory.File("credentials")),
            ("AWS_ACCESS_KEY_ID_FILE", directory.File("id")),
            ("AWS_SECRET_ACCESS_KEY_FILE", directory.File("secret"))
        );

        Assert.Empty(problems);
        Assert.Equal(("AKIAFILE00000000000", "s"), (options.Credentials.KeyId, options.Credentials.Secret));
    }

    [Theory]
    [InlineData(null, "cannot be read (it does not exist)")]
    [InlineData("[other]\naws_access_key_id=AKIA\naws_secret_access_key=topsecret\n", "has no profile 'default'")]
    [InlineData("[default]\naws_access_key_id=AKIA\n", "lacks aws_access_key_id or aws_secret_access_key")]
    [InlineData("AKIA topsecret", "is not a credentials file")]
    [InlineData("aws_access_key_id=AKIA\naws_secret_access_key=topsecret\n", "")]
    public void A_credentials_file_that_does_not_do_is_named_and_not_quoted(string? content, string words)
    {
        using var directory = new TempDirectory();
        if (content is not null)
            File.WriteAllText(directory.File("credentials"), content);

        var (_, problems) = Load(
            ("AWS_REGION", "eu-central-1"),
            ("S3_BUCKET", "readings"),
            ("AWS_SHARED_CREDENTIALS_FILE", directory.File("credentials"))
        );

        Assert.Contains(words, Assert.Single(problems), StringComparison.Ordinal);
        Assert.DoesNotContain("topsecret", problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_credentials_file_is_none()
    {
        var (options, problems) = Load(
            ("AWS_REGION", "eu-central-1"),
            ("S3_BUCKET", "readings"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        );

        Assert.StartsWith("No AWS credentials were found; ", Assert.Single(problems), StringComparison.Ordinal);
        Assert.Null(options.Credentials.File);
    }

    internal static (S3Options Options, IReadOnlyList<string> Problems) Load(params (string Key, string Value)[] values)
    {
        // Tests that are about something else need some credentials.
        if (
            !Array.Exists(
                values,
                value =>
                    value.Key.StartsWith("AWS_", StringComparison.Ordinal)
                    && value.Key is not ("AWS_REGION" or "AWS_DEFAULT_REGION" or "AWS_ENDPOINT_URL" or "AWS_MAX_ATTEMPTS")
            )
        )
            values = [.. values, ("AWS_EC2_METADATA_DISABLED", "false")];
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                values.GroupBy(value => value.Key).Select(group => KeyValuePair.Create(group.Key, (string?)group.Last().Value))
            )
            .Build();
        var settings = new Settings(configuration);
        return (S3OptionsLoader.Load(settings), settings.Problems);
    }
}
