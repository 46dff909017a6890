using System.Collections.Concurrent;
using System.Globalization;
using Amazon.SQS;
using Amazon.SQS.Model;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Classic Snowpipe with AUTO_INGEST: takes the bucket's notifications from the queue, loads the objects that they announce, and deletes
/// each when all of its objects are loaded. If an object cannot be loaded now, its notification stays in the queue and is delivered again;
/// it holds up nothing else.
/// </summary>
sealed partial class Loader(
    IAmazonSQS queue,
    FileLoader files,
    LoadFaults faults,
    Catalog catalog,
    LoaderSettings settings,
    TimeProvider clock,
    ILogger<Loader> logger
) : BackgroundService
{
    // SQS delivers at most ten messages at once, and waits at most 20 s for the first.
    const int MostMessages = 10;
    const int WaitSeconds = 20;

    // How long nobody else gets a message. Extended while the message is being processed.
    const int VisibilitySeconds = 30;
    static readonly TimeSpan extension = TimeSpan.FromSeconds(VisibilitySeconds / 3);
    static readonly TimeSpan longestPause = TimeSpan.FromSeconds(30);

    // If both are started together, the queue appears a little later than this.
    const int ReportedFailures = 4;
    const int LongestPostponement = 300;

    string? queueUrl;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failures = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var messages = await faults.RunAsync(LoadStep.Receive, null, () => ReceiveAsync(stoppingToken), stoppingToken);
                if (failures >= ReportedFailures)
                    LogRecovered(settings.Queue);
                failures = 0;
                await WorkAsync(messages, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                if (++failures == ReportedFailures)
                    LogNoQueue(settings.Queue, e.Message);
                queueUrl = null;
                await Task.Delay(PauseAfter(failures), clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    static TimeSpan PauseAfter(int failures) =>
        TimeSpan.FromTicks(Math.Min(TimeSpan.TicksPerSecond << Math.Min(failures - 1, 10), longestPause.Ticks));

    async Task<List<Message>> ReceiveAsync(CancellationToken stop)
    {
        queueUrl ??= await FindQueueAsync(stop);
        var answer = await queue.ReceiveMessageAsync(
            new ReceiveMessageRequest
            {
                QueueUrl = queueUrl,
                MaxNumberOfMessages = MostMessages,
                WaitTimeSeconds = WaitSeconds,
                VisibilityTimeout = VisibilitySeconds,
                MessageSystemAttributeNames = ["ApproximateReceiveCount"],
            },
            stop
        );
        return answer.Messages ?? [];
    }

    /// <summary>The queue's URL. A stand-in may use a host name that only it knows; the path is what counts.</summary>
    async Task<string> FindQueueAsync(CancellationToken stop)
    {
        var url = settings.Queue.Contains("://", StringComparison.Ordinal)
            ? settings.Queue
            : (await queue.GetQueueUrlAsync(settings.Queue, stop)).QueueUrl;
        return settings.QueueEndpoint is { } endpoint ? new Uri(endpoint, new Uri(url).AbsolutePath).AbsoluteUri : url;
    }

    async Task WorkAsync(List<Message> messages, CancellationToken stop)
    {
        if (messages.Count == 0)
            return;
        var open = new ConcurrentDictionary<string, Message>();
        // SQS may deliver a message twice, even at the same time.
        foreach (var message in messages)
            open[message.MessageId] = message;
        using var done = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var extending = ExtendAsync(open, done.Token);
        try
        {
            foreach (var message in messages)
            {
                await HandleAsync(message, stop);
                open.TryRemove(message.MessageId, out _);
            }
        }
        finally
        {
            await done.CancelAsync();
            await extending;
        }
    }

    /// <summary>Keeps waiting and active messages from being delivered again.</summary>
    async Task ExtendAsync(ConcurrentDictionary<string, Message> open, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await Task.Delay(extension, clock, stop);
                foreach (var message in open.Values)
                    await queue.ChangeMessageVisibilityAsync(queueUrl, message.ReceiptHandle, VisibilitySeconds, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // All are finished.
        }
        catch (Exception e) when (e is AmazonSQSException or HttpRequestException or Amazon.Runtime.AmazonClientException)
        {
            // The messages will be delivered again, and the load history shows what has been loaded.
            LogNotExtended(e.Message);
        }
    }

    async Task HandleAsync(Message message, CancellationToken stop)
    {
        try
        {
            var key = await LoadAsync(message, stop);
            await faults.RunAsync(LoadStep.Delete, key, () => queue.DeleteMessageAsync(queueUrl, message.ReceiptHandle, stop), stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            var attempt = int.Parse(
                message.Attributes?.GetValueOrDefault("ApproximateReceiveCount") ?? "1",
                NumberStyles.None,
                CultureInfo.InvariantCulture
            );
            var pause = Math.Min(1 << Math.Min(attempt, 10), LongestPostponement);
            LogPostponed(attempt, e.Message, pause);
            await PostponeAsync(message, pause, stop);
        }
    }

    /// <returns>The key of the first object that the message announces; null if it announces none.</returns>
    async Task<string?> LoadAsync(Message message, CancellationToken stop)
    {
        IReadOnlyList<CreatedObject> created;
        try
        {
            created = Notification.Read(message.Body);
        }
        catch (InvalidDataException e)
        {
            LogNoNotification(message.MessageId, e.Message, message.Body.Length > 200 ? message.Body[..200] : message.Body);
            return null;
        }
        var receivedAt = clock.GetUtcNow();
        foreach (var (bucket, key) in created)
        {
            var pipes = catalog.LoadPipes.FindAll(pipe => pipe.AutoIngest && pipe.Takes(bucket, key));
            if (pipes.Count == 0)
                LogNoPipe(bucket, key);
            foreach (var pipe in pipes)
                Report(await files.LoadAsync(pipe, key, receivedAt, stop), pipe, key);
        }
        return created.Count > 0 ? created[0].Key : null;
    }

    void Report(FileLoad? load, LoadPipe pipe, string key)
    {
        if (load is null)
            LogLeftAlone(pipe.Name, key);
        else if (load.ContentKey is null)
            LogGone(pipe.Name, key);
        else if (load.FirstError is { } error)
            LogErrors(pipe.Name, key, load.RowsLoaded, load.RowsParsed, load.Errors, error.ToString());
        else
            LogLoaded(pipe.Name, key, load.RowsLoaded, pipe.Table.Name);
    }

    async Task PostponeAsync(Message message, int seconds, CancellationToken stop)
    {
        try
        {
            await queue.ChangeMessageVisibilityAsync(queueUrl, message.ReceiptHandle, seconds, stop);
        }
        catch (Exception e) when (e is AmazonSQSException or HttpRequestException or Amazon.Runtime.AmazonClientException)
        {
            // The message is delivered again when its time is over.
            LogNotExtended(e.Message);
        }
    }

    [LoggerMessage(EventId = 740, Level = LogLevel.Information, Message = "{Pipe} loaded {Key}: {Rows} rows into {Table}")]
    partial void LogLoaded(string pipe, string key, long rows, string table);

    [LoggerMessage(
        EventId = 741,
        Level = LogLevel.Warning,
        Message = "{Pipe} loaded {Loaded} of {Parsed} records of {Key}; {Errors} cannot be loaded. The first: {Error}. "
            + "Upload the corrected file under another name: a pipe reads a name once."
    )]
    partial void LogErrors(string pipe, string key, long loaded, long parsed, long errors, string error);

    [LoggerMessage(
        EventId = 749,
        Level = LogLevel.Warning,
        Message = "{Pipe} did not find {Key}, which was announced: it has been deleted"
    )]
    partial void LogGone(string pipe, string key);

    [LoggerMessage(
        EventId = 742,
        Level = LogLevel.Debug,
        Message = "{Pipe} has read {Key} before, or it is older than 14 days; skipped it"
    )]
    partial void LogLeftAlone(string pipe, string key);

    [LoggerMessage(
        EventId = 743,
        Level = LogLevel.Warning,
        Message = "No pipe loads s3://{Bucket}/{Key}. The bucket's notification should have the prefix of a stage (sql/classic)."
    )]
    partial void LogNoPipe(string bucket, string key);

    [LoggerMessage(
        EventId = 744,
        Level = LogLevel.Warning,
        Message = "Message {Id} in the queue is not a notification of S3 ({Problem}); deleted it. It begins with: {Begin}"
    )]
    partial void LogNoNotification(string id, string problem, string begin);

    [LoggerMessage(
        EventId = 745,
        Level = LogLevel.Warning,
        Message = "A notification could not be processed, attempt {Attempt}: {Problem} It stays in the queue; the next attempt comes in "
            + "{Seconds} s."
    )]
    partial void LogPostponed(int attempt, string problem, int seconds);

    [LoggerMessage(
        EventId = 746,
        Level = LogLevel.Error,
        Message = "Queue {Queue} does not answer: {Problem} Nothing is loaded until it answers; retrying. Check SQS_QUEUE, "
            + "SQS_ENDPOINT_URL, AWS_REGION and the credentials."
    )]
    partial void LogNoQueue(string queue, string problem);

    [LoggerMessage(EventId = 747, Level = LogLevel.Information, Message = "Queue {Queue} answers again")]
    partial void LogRecovered(string queue);

    [LoggerMessage(EventId = 748, Level = LogLevel.Debug, Message = "A message's visibility was not extended: {Problem}")]
    partial void LogNotExtended(string problem);
}
