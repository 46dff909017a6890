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
        Assert.Equal(
            [
                "s3 address",
                "s3 clock",
                "s3 credentials",
                "s3 bucket",
                "s3 upload",
                "s3 quarantine",
                "s3 notification",
                "s3 versioning",
                "s3 encryption",
                "s3 lifecycle",
                "s3 object lock",
            ],
            results.Keys
        );
        Assert.StartsWith("access key AKIA…MPLE from the environment", results["s3 credentials"].Detail, StringComparison.Ordinal);
        Assert.Equal(
            "queue arn:aws:sqs:us-east-1:444455556666:sf-snowpipe-AIDAEXAMPLE is notified of new objects below inverter-data/",
            results["s3 notification"].Detail
        );
        Assert.StartsWith(
            "wrote, found and deleted inverter-quarantine/_check-",
            results["s3 quarantine"].Detail,
            StringComparison.Ordinal
        );
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
        Assert.Equal(
            "LIST s3://readings/inverter-data/: 403 InvalidAccessKeyId \"The AWS Access Key Id you provided does not exist in our "
                + "records.\"",
            credentials.Detail
        );
        Assert.Contains("AKIA…WN42", credentials.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_may_not_write_below_the_prefix_fails_the_upload_only()
    {
        s3.Script = call =>
            call.Method == "PUT" && call.Key.StartsWith("inverter-data/", StringComparison.Ordinal)
                ? new S3Fault { Answer = (403, "AccessDenied", "Access Denied") }
                : null;

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

    public static TheoryData<string, string, string, CheckOutcome, string> Properties() =>
        new()
        {
            {
                "notification",
                "<NotificationConfiguration/>",
                "s3 notification",
                CheckOutcome.Warning,
                "no notification is sent for new objects"
            },
            { "notification", Queue("other/"), "s3 notification", CheckOutcome.Warning, "no notification is sent for new objects" },
            { "notification", Queue("inverter-data/2026/"), "s3 notification", CheckOutcome.Warning, "not notified of every upload" },
            {
                "notification",
                Queue("inverter-data/", told: "s3:ObjectRemoved:*"),
                "s3 notification",
                CheckOutcome.Warning,
                "not notified of every"
            },
            { "notification", Queue("inverter-data/", suffix: ".csv"), "s3 notification", CheckOutcome.Warning, "end with .csv" },
            { "notification", Queue("inverter-data/", suffix: ".json"), "s3 notification", CheckOutcome.Ok, "queue arn:" },
            { "notification", Queue("inverter-"), "s3 notification", CheckOutcome.Warning, "notified of the quarantine too" },
            {
                "notification",
                "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>",
                "s3 notification",
                CheckOutcome.Ok,
                "EventBridge"
            },
            {
                "versioning",
                "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
                "s3 versioning",
                CheckOutcome.Ok,
                "on;"
            },
            { "encryption", Kms("arn:aws:kms:us-east-1:1:key/k", "true"), "s3 encryption", CheckOutcome.Ok, "with a bucket key" },
            {
                "encryption",
                Kms("arn:aws:kms:us-east-1:1:key/k", "false"),
                "s3 encryption",
                CheckOutcome.Ok,
                "each object is a request to KMS"
            },
            { "encryption", Kms(null, "true"), "s3 encryption", CheckOutcome.Warning, "aws/s3" },
            {
                "lifecycle",
                Rule("inverter-data/", "<Expiration><Days>30</Days></Expiration>"),
                "s3 lifecycle",
                CheckOutcome.Ok,
                "after 30 days"
            },
            { "lifecycle", Rule("", "<Expiration><Days>3</Days></Expiration>"), "s3 lifecycle", CheckOutcome.Warning, "after 3 days" },
            { "lifecycle", Rule("logs/", "<Expiration><Days>3</Days></Expiration>"), "s3 lifecycle", CheckOutcome.Ok, "no rule deletes" },
            {
                "lifecycle",
                Rule("", "<Transition><Days>7</Days><StorageClass>GLACIER</StorageClass></Transition>"),
                "s3 lifecycle",
                CheckOutcome.Warning,
                "archives"
            },
            {
                "object-lock",
                "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>9</Days></DefaultRetention></Rule></ObjectLockConfiguration>",
                "s3 object lock",
                CheckOutcome.Ok,
                "GOVERNANCE for 9 days"
            },
        };

    /// <summary>XML by the "Amazon S3 API Reference": GetBucketNotificationConfiguration, GetBucketVersioning and so on.</summary>
    [Theory]
    [MemberData(nameof(Properties))]
    public async Task What_the_bucket_is_set_up_to_do_is_told(string property, string xml, string step, CheckOutcome outcome, string words)
    {
        s3.Properties[property] = xml;

        var result = (await RunAsync())[step];

        Assert.Equal((outcome, true), (result.Outcome, result.Detail.Contains(words, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_key_that_may_only_upload_fails_nothing()
    {
        s3.Script = call => call is { Method: "GET", Key: "" } ? new S3Fault { Answer = (403, "AccessDenied", "Access Denied") } : null;

        var results = await RunAsync();

        Assert.All(results, result => Assert.Equal(CheckOutcome.Ok, result.Value.Outcome));
        Assert.Contains("s3:GetBucketNotification", results["s3 notification"].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_may_not_look_at_objects_is_warned_of()
    {
        s3.Script = call => call is { Method: "HEAD", Key.Length: > 0 } ? new S3Fault { Answer = (403, "AccessDenied", "") } : null;

        var result = (await RunAsync())["s3 quarantine"];

        Assert.Equal(CheckOutcome.Warning, result.Outcome);
        Assert.Contains("s3:GetObject", result.Fix, StringComparison.Ordinal);
        Assert.Empty(s3.In());
    }

    [Fact]
    public async Task Whose_the_keys_are_is_told_where_there_is_an_STS()
    {
        await using var sts = await FakeSts.StartAsync();

        var result = (await RunAsync(sts: sts.Address))["aws identity"];

        Assert.Equal((CheckOutcome.Ok, "arn:aws:iam::123456789012:user/Alice"), (result.Outcome, result.Detail));
    }

    static string Queue(string prefix, string suffix = "", string told = "s3:ObjectCreated:*") =>
        $"<NotificationConfiguration><QueueConfiguration><Id>q</Id><Queue>arn:aws:sqs:us-east-1:1:q</Queue><Event>{told}</Event><Filter><S3Key>"
        + $"<FilterRule><Name>prefix</Name><Value>{prefix}</Value></FilterRule><FilterRule><Name>suffix</Name><Value>{suffix}</Value></FilterRule>"
        + "</S3Key></Filter></QueueConfiguration></NotificationConfiguration>";

    static string Kms(string? key, string bucketKey) =>
        "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>"
        + (key is null ? "" : $"<KMSMasterKeyID>{key}</KMSMasterKeyID>")
        + $"</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>{bucketKey}</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>";

    static string Rule(string prefix, string does) =>
        $"<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Filter><Prefix>{prefix}</Prefix></Filter>{does}</Rule>"
        + "</LifecycleConfiguration>";

    async Task<Dictionary<string, CheckResult>> RunAsync(string keyId = FakeS3.AccessKeyId, TimeProvider? clock = null, Uri? sts = null)
    {
        var options = new S3Options
        {
            Region = "us-east-1",
            Bucket = "readings",
            Prefix = "inverter-data/",
            QuarantinePrefix = "inverter-quarantine/",
            Credentials = new AwsCredentials(keyId, "secret") { Sts = new StsOptions("us-east-1", sts) },
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
