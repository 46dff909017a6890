using Microsoft.Extensions.Configuration;
using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

public sealed class S3OptionsTests
{
    [Fact]
    public void The_originals_names_are_enough()
    {
        var (options, problems) = Load(("AWS_REGION", "eu-central-1"), ("S3_BUCKET", "my-inverters"), ("S3_FILE_PREFIX", "inverter-data"), ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "s"), ("NUM_FILES", "6"));

        Assert.Empty(problems);
        Assert.Equal("inverter-data/", options.Prefix);
        Assert.Equal("inverter-quarantine/", options.QuarantinePrefix);
        Assert.Equal(6, options.Files);
        Assert.Equal(TimeSpan.FromSeconds(20), options.Limits.Linger);
        Assert.Equal((ObjectFormat.NdJson, ObjectCompression.None, InvalidReadings.Quarantine), (options.Format, options.Compression, options.Validation));
        Assert.Null(options.Endpoint);
        Assert.Equal("https://s3.eu-central-1.amazonaws.com/", options.Address.AbsoluteUri);
    }

    [Fact]
    public void Without_keys_the_chain_of_the_SDK_is_used_and_a_stand_in_needs_no_region()
    {
        var (options, problems) = Load(("S3_BUCKET", "readings"), ("S3_ENDPOINT_URL", "http://localstack:4566"), ("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", " "));

        Assert.Empty(problems);
        Assert.Null(options.AccessKeyId);
        Assert.Equal("us-east-1", options.Region);
    }

    [Fact]
    public void Everything_that_is_missing_is_said_at_once()
    {
        var (_, problems) = Load(("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"));

        Assert.Equal(
            [
                "AWS_REGION is not set; set it to the region of your bucket, for example AWS_REGION=eu-central-1 (aws s3api get-bucket-location says which).",
                "S3_BUCKET is not set; set it to the name of the bucket that readings go to, for example S3_BUCKET=my-inverters.",
                "AWS_SECRET_ACCESS_KEY is not set but its counterpart is; set both, or neither to use the SDK's own chain (profile, role, instance).",
            ],
            problems);
    }

    [Fact]
    public void The_secret_may_be_a_file_and_is_never_in_a_problem()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory.File("secret"), "topsecret\n");

        var (options, problems) = Load(("S3_BUCKET", "UPPER"), ("AWS_REGION", "eu-central-1"), ("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY_FILE", directory.File("secret")));

        Assert.Equal("topsecret", options.SecretAccessKey);
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
    [InlineData("AWS_REGION", "Frankfurt", "region's code")]
    [InlineData("NUM_FILES", "0", "1 to 100")]
    [InlineData("NUM_FILES", "101", "1 to 100")]
    [InlineData("PARTITION_TIME_ZONE", "Mars/Olympus", "IANA name")]
    [InlineData("VALIDATION", "ignore", "Quarantine, Drop, Forward")]
    [InlineData("S3_COMPRESS", "zip", "None, Gzip")]
    [InlineData("S3_FORMAT", "parquet", "NdJson, Array")]
    public void A_value_that_cannot_work_is_refused_with_what_is_allowed(string key, string value, string allowed)
    {
        var (_, problems) = Load(("AWS_REGION", "eu-central-1"), ("S3_BUCKET", "readings"), (key, value));

        Assert.Contains(allowed, Assert.Single(problems), StringComparison.Ordinal);
    }

    static (S3Options Options, IReadOnlyList<string> Problems) Load(params (string Key, string Value)[] values)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(values.GroupBy(value => value.Key).Select(group => KeyValuePair.Create(group.Key, (string?)group.Last().Value))).Build();
        var settings = new Settings(configuration);
        return (S3Options.Load(settings), settings.Problems);
    }
}
