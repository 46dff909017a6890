using ThermalStreaming.Hosting;

namespace ThermalStreaming.S3Forwarder.Tests;

public sealed class S3ChecksTests : IAsyncLifetime
{
    FakeS3 s3 = null!;

    public async ValueTask InitializeAsync() => s3 = await FakeS3.StartAsync();

    public async ValueTask DisposeAsync() => await s3.DisposeAsync();

    [Fact]
    public async Task All_is_well_and_nothing_is_left_in_the_bucket()
    {
        var results = await RunAsync();

        Assert.All(results, result => Assert.Equal(CheckOutcome.Ok, result.Value.Outcome));
        Assert.Equal(["s3 address", "s3 clock", "s3 credentials", "s3 bucket", "s3 upload", "s3 quarantine"], results.Keys);
        Assert.Empty(s3.In());
        Assert.DoesNotContain(s3.Calls, call => call.Method == "DELETE" && call.Key.StartsWith("inverter-data/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_missing_bucket_is_named_with_the_command_that_makes_it()
    {
        s3.Buckets.Clear();

        var bucket = (await RunAsync())["s3 bucket"];

        Assert.Equal(CheckOutcome.Failed, bucket.Outcome);
        Assert.Equal("Correct S3_BUCKET, or: aws s3 mb s3://readings --region us-east-1", bucket.Fix);
    }

    [Fact]
    public async Task An_unknown_key_fails_the_credentials()
    {
        var credentials = (await RunAsync(keyId: "AKIAUNKNOWNUNKNOWN42"))["s3 credentials"];

        Assert.Equal(CheckOutcome.Failed, credentials.Outcome);
        Assert.Equal("LIST s3://readings/inverter-data/: 403 InvalidAccessKeyId \"The AWS Access Key Id you provided does not exist in our records.\"", credentials.Detail);
        Assert.Contains("AKIA…WN42", credentials.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_may_not_write_below_the_prefix_fails_the_upload_only()
    {
        s3.Script = call => call.Method == "PUT" && call.Key.StartsWith("inverter-data/", StringComparison.Ordinal) ? new S3Fault { Answer = (403, "AccessDenied", "Access Denied") } : null;

        var results = await RunAsync();

        Assert.Equal(["s3 upload"], results.Where(result => result.Value.Outcome != CheckOutcome.Ok).Select(result => result.Key));
        Assert.Contains("s3:PutObject", results["s3 upload"].Fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clock_that_S3_would_refuse_is_found()
    {
        var clock = new ShiftedClock(TimeSpan.FromMinutes(-20));

        var result = (await RunAsync(clock: clock))["s3 clock"];

        Assert.Equal(CheckOutcome.Failed, result.Outcome);
        Assert.Equal("timedatectl set-ntp true", result.Fix);
        Assert.Contains("behind the server", result.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_fails_the_address()
    {
        var address = s3.Address;
        await s3.DisposeAsync();

        var result = (await RunAsync())["s3 address"];

        Assert.Equal(CheckOutcome.Failed, result.Outcome);
        Assert.Contains($"correct S3_ENDPOINT_URL ({address})", result.Fix, StringComparison.Ordinal);
    }

    async Task<Dictionary<string, CheckResult>> RunAsync(string keyId = FakeS3.AccessKeyId, TimeProvider? clock = null)
    {
        var options = new S3Options
        {
            Region = "us-east-1",
            Bucket = "readings",
            Prefix = "inverter-data/",
            QuarantinePrefix = "inverter-quarantine/",
            Credentials = new AwsCredentials(keyId, "secret"),
            Endpoint = s3.Address,
        };
        using var client = S3Client.Create(options);
        var results = new Dictionary<string, CheckResult>();
        foreach (var step in S3Checks.Steps(options, client, clock ?? TimeProvider.System))
            results[step.Name] = await step.Run(default);
        return results;
    }

    sealed class ShiftedClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
