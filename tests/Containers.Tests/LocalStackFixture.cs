using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.SQS;
using Amazon.SQS.Model;
using Testcontainers.LocalStack;
using ThermalStreaming.S3Forwarder;

namespace ThermalStreaming.Containers.Tests;

/// <summary>
/// S3 and SQS in a container, with the bucket, the queue and the notification that <c>localstack/init</c> makes at its start. LocalStack
/// where a registry answers, the project's stand-in elsewhere: the same tests.
/// </summary>
public sealed class LocalStackFixture : IAsyncLifetime
{
    public const string Bucket = "thermal-test";
    public const string Prefix = "inverter-data/";
    public const string QuarantinePrefix = "inverter-quarantine/";
    const string Queue = "thermal-test-queue";
    const string Region = "us-east-1";
    static readonly TimeSpan patience = TimeSpan.FromMinutes(2);

    LocalStackContainer? container;

    /// <summary>Talks to the bucket beside the code under test.</summary>
    public IAmazonS3 S3 { get; private set; } = null!;

    public IAmazonSQS Sqs { get; private set; } = null!;

    /// <summary>Where the queue with the notifications is.</summary>
    public string QueueUrl { get; private set; } = "";

    Uri Address => new(container!.GetConnectionString());

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Starts it for the first test that asks, and empties bucket and queue for each.</summary>
    public async Task ReadyAsync()
    {
        if (container is null)
            await StartAsync();
        await EmptyAsync();
    }

    /// <summary>Settings of the forwarder for this bucket.</summary>
    internal S3Options Options(Func<S3Options, S3Options>? change = null)
    {
        var options = new S3Options
        {
            Region = Region,
            Bucket = Bucket,
            Prefix = Prefix,
            QuarantinePrefix = QuarantinePrefix,
            Credentials = new AwsCredentials("test", "test"),
            Endpoint = Address,
            Files = 4,
        };
        return change is null ? options : change(options);
    }

    /// <summary>Every object under a prefix: its key and its bytes.</summary>
    public async Task<IReadOnlyList<(string Key, byte[] Bytes)>> ObjectsAsync(string prefix = "")
    {
        var found = new List<(string, byte[])>();
        foreach (
            var entry in (await S3.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Bucket, Prefix = prefix })).S3Objects ?? []
        )
        {
            using var answer = await S3.GetObjectAsync(Bucket, entry.Key);
            using var bytes = new MemoryStream();
            await answer.ResponseStream.CopyToAsync(bytes);
            found.Add((entry.Key, bytes.ToArray()));
        }
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        S3?.Dispose();
        Sqs?.Dispose();
        if (container is not null)
            await container.DisposeAsync();
    }

    async Task StartAsync()
    {
        var builder = new LocalStackBuilder(Images.LocalStack);
        // The package takes the digits at the start of a stand-in's tag for a version of LocalStack that wants an account.
        if (Images.AreBuiltHere)
            builder = builder.WithEnvironment("LOCALSTACK_AUTH_TOKEN", "none: a stand-in");
        container = builder
            .WithLabel(Engine.Label, Engine.Run)
            .WithEnvironment("SERVICES", "s3,sqs,iam,sts")
            .WithEnvironment("AWS_DEFAULT_REGION", Region)
            .WithEnvironment("S3_BUCKET", Bucket)
            .WithEnvironment("S3_FILE_PREFIX", Prefix)
            .WithEnvironment("SQS_QUEUE", Queue)
            // Nothing is fetched from the Internet.
            .WithEnvironment("SKIP_SSL_CERT_DOWNLOAD", "1")
            .WithEnvironment("DISABLE_EVENTS", "1")
            .WithResourceMapping(new DirectoryInfo(Path.Combine(Images.Root, "localstack", "init")), "/etc/localstack/init")
            .WithResourceMapping(new DirectoryInfo(Path.Combine(Images.Root, "sql", "classic", "aws")), "/etc/localstack/aws")
            .Build();
        await container.StartAsync();
        var credentials = new BasicAWSCredentials("test", "test");
        S3 = new AmazonS3Client(
            credentials,
            new AmazonS3Config
            {
                ServiceURL = Address.AbsoluteUri,
                AuthenticationRegion = Region,
                ForcePathStyle = true,
            }
        );
        Sqs = new AmazonSQSClient(credentials, new AmazonSQSConfig { ServiceURL = Address.AbsoluteUri, AuthenticationRegion = Region });
        // The start-up script sets up the notification last.
        await UntilAsync(IsSetUpAsync, "the bucket tells the queue of new objects");
        QueueUrl = (await Sqs.GetQueueUrlAsync(Queue)).QueueUrl;
    }

    async Task<bool> IsSetUpAsync()
    {
        try
        {
            return (await S3.GetBucketNotificationAsync(Bucket)).QueueConfigurations is { Count: > 0 };
        }
        catch (AmazonS3Exception e) when (e.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var clock = TimeProvider.System;
        var started = clock.GetTimestamp();
        while (!await condition())
        {
            if (clock.GetElapsedTime(started) > patience)
            {
                var (output, errors) = await container!.GetLogsAsync();
                throw new TimeoutException($"Waited {patience.TotalSeconds} s in vain until {what}. The container says:\n{output}{errors}");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), clock);
        }
    }

    async Task EmptyAsync()
    {
        foreach (var (key, _) in await ObjectsAsync())
            await S3.DeleteObjectAsync(Bucket, key);
        while (true)
        {
            var received = await Sqs.ReceiveMessageAsync(new ReceiveMessageRequest { QueueUrl = QueueUrl, MaxNumberOfMessages = 10 });
            if (received.Messages is not { Count: > 0 } messages)
                return;
            foreach (var message in messages)
                await Sqs.DeleteMessageAsync(QueueUrl, message.ReceiptHandle);
        }
    }
}
