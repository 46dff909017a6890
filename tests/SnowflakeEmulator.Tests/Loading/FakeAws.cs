using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>
/// A bucket and a queue in memory, behind the protocols of S3 (REST) and SQS (JSON 1.0) as Amazon documents them: messages become invisible
/// when they are received, come again after their time, and are deleted by the receipt of the last receive. Thread-safe.
/// </summary>
sealed class FakeAws : IAsyncDisposable
{
    public const string Bucket = "thermal-test";
    public const string Queue = "the-queue";
    const string QueuePath = "/000000000000/" + Queue;

    sealed class QueuedMessage(string body)
    {
        public string Id { get; } = Guid.NewGuid().ToString();
        public string Body { get; } = body;
        public string Receipt { get; set; } = "";
        public int Received { get; set; }
        public DateTimeOffset VisibleFrom { get; set; }
    }

    sealed record HeldObject(byte[] Bytes, DateTimeOffset Modified);

    readonly Lock gate = new();
    readonly WebApplication app;
    readonly TimeProvider clock;
    readonly List<QueuedMessage> messages = [];
    readonly Dictionary<string, HeldObject> objects = [];
    readonly List<string> fetched = [];
    int extended;
    int stalls;
    TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    static FakeAws()
    {
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", "test");
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", "test");
    }

    FakeAws(WebApplication app, TimeProvider clock)
    {
        this.app = app;
        this.clock = clock;
    }

    public Uri Address { get; private set; } = null!;

    /// <summary>What an emulator needs to know of it.</summary>
    public LoaderSettings Settings =>
        new()
        {
            Queue = Queue,
            QueueEndpoint = Address,
            StoreEndpoint = Address,
        };

    /// <summary>Keys of the objects that were fetched, in order.</summary>
    public IReadOnlyList<string> Fetched
    {
        get
        {
            lock (gate)
                return [.. fetched];
        }
    }

    public static async Task<FakeAws> StartAsync(TimeProvider? clock = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var fake = new FakeAws(app, clock ?? TimeProvider.System);
        app.Run(fake.AnswerAsync);
        await app.StartAsync();
        fake.Address = new Uri(app.Urls.First());
        return fake;
    }

    /// <summary>Writes an object without telling the queue.</summary>
    /// <returns>Its ETag.</returns>
    public string Put(string key, byte[] bytes, DateTimeOffset? modified = null)
    {
        lock (gate)
            objects[key] = new HeldObject(bytes, modified ?? clock.GetUtcNow());
        return ETag(bytes);
    }

    /// <summary>The next object that is fetched stays in the middle, with its connection open.</summary>
    public void Stall() => Interlocked.Exchange(ref stalls, 1);

    /// <summary>Tells the queue of objects, all in one message, as S3 does.</summary>
    public void Announce(params string[] keys) => Send(EventOf("ObjectCreated:Put", Bucket, keys));

    /// <summary>The message of an event.</summary>
    public static string EventOf(string name, string bucket, params string[] keys) =>
        new JsonObject
        {
            ["Records"] = new JsonArray([
                .. keys.Select(key => new JsonObject
                {
                    ["eventVersion"] = "2.1",
                    ["eventSource"] = "aws:s3",
                    ["eventName"] = name,
                    ["s3"] = new JsonObject
                    {
                        ["bucket"] = new JsonObject { ["name"] = bucket },
                        ["object"] = new JsonObject
                        {
                            // As in a form, except for the slash: blanks are pluses.
                            ["key"] = WebUtility.UrlEncode(key).Replace("%2F", "/", StringComparison.Ordinal),
                            ["size"] = 1,
                            ["versionId"] = "096fKKXTRTtl3on89fVO.nfljtsv6qko",
                        },
                    },
                }),
            ]),
        }.ToJsonString();

    public void Send(string body)
    {
        lock (gate)
            messages.Add(new QueuedMessage(body));
        Change();
    }

    /// <summary>Makes every message visible at once, as if its time were over.</summary>
    public void ReturnAll()
    {
        lock (gate)
        {
            foreach (var message in messages)
                message.VisibleFrom = DateTimeOffset.MinValue;
        }
        Change();
    }

    /// <summary>Waits until every message has been deleted.</summary>
    public Task EmptyAsync() => UntilAsync(() => messages.Count == 0, "the queue is not empty");

    /// <summary>Waits until some message has been received so often.</summary>
    public Task ReceivedAsync(int times) =>
        UntilAsync(() => messages.Exists(message => message.Received >= times), $"no message was received {times} times");

    /// <summary>Waits until an object has been fetched so often.</summary>
    public Task FetchedAsync(string key, int times) =>
        UntilAsync(() => fetched.Count(k => k == key) >= times, $"{key} was not fetched {times} times");

    /// <summary>Waits until the time of some message has been changed so often.</summary>
    public Task ExtendedAsync(int times) => UntilAsync(() => extended >= times, $"no message's time was changed {times} times");

    /// <summary>How often the message was received that was received most.</summary>
    public int MostReceived
    {
        get
        {
            lock (gate)
                return messages.Max(message => message.Received);
        }
    }

    async Task UntilAsync(Func<bool> isSo, string otherwise)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (isSo())
                    return;
                next = changed.Task;
            }
            try
            {
                await next.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException(otherwise);
            }
        }
    }

    void Change()
    {
        TaskCompletionSource last;
        lock (gate)
            (last, changed) = (changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        last.SetResult();
    }

    async Task AnswerAsync(HttpContext call)
    {
        if (call.Request.Headers["X-Amz-Target"].ToString() is { Length: > 0 } target)
            await AnswerQueueAsync(call, target);
        else
            await AnswerStoreAsync(call);
    }

    async Task AnswerStoreAsync(HttpContext call)
    {
        var key = call.Request.Path.Value!["/".Length..].Split('/', 2) is [Bucket, var rest] ? rest : "";
        HeldObject? held;
        lock (gate)
        {
            fetched.Add(key);
            held = objects.GetValueOrDefault(key);
        }
        Change();
        if (held is null)
        {
            call.Response.StatusCode = 404;
            call.Response.ContentType = "application/xml";
            await call.Response.WriteAsync("<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>");
            return;
        }
        call.Response.Headers.ETag = $"\"{ETag(held.Bytes)}\"";
        call.Response.Headers.LastModified = held.Modified.ToString("R", CultureInfo.InvariantCulture);
        call.Response.ContentLength = held.Bytes.Length;
        if (Interlocked.Exchange(ref stalls, 0) == 1)
        {
            await call.Response.Body.WriteAsync(held.Bytes.AsMemory(0, held.Bytes.Length / 2), call.RequestAborted);
            await call.Response.Body.FlushAsync(call.RequestAborted);
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, call.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }
        await call.Response.Body.WriteAsync(held.Bytes, call.RequestAborted);
    }

    async Task AnswerQueueAsync(HttpContext call, string target)
    {
        using var request = await JsonDocument.ParseAsync(call.Request.Body, cancellationToken: call.RequestAborted);
        var json = request.RootElement;
        if (target != "AmazonSQS.GetQueueUrl")
            Assert.EndsWith(QueuePath, json.GetProperty("QueueUrl").GetString(), StringComparison.Ordinal);
        JsonObject answer = target switch
        {
            // A host that only the stand-in itself knows.
            "AmazonSQS.GetQueueUrl" => new() { ["QueueUrl"] = $"http://localhost.invalid:4566{QueuePath}" },
            "AmazonSQS.ReceiveMessage" => await ReceiveAsync(json, call.RequestAborted),
            "AmazonSQS.DeleteMessage" => Delete(json),
            "AmazonSQS.ChangeMessageVisibility" => ChangeVisibility(json),
            _ => throw new InvalidOperationException(target),
        };
        Change();
        call.Response.ContentType = "application/x-amz-json-1.0";
        await call.Response.WriteAsync(answer.ToJsonString());
    }

    async Task<JsonObject> ReceiveAsync(JsonElement request, CancellationToken aborted)
    {
        var most = request.GetProperty("MaxNumberOfMessages").GetInt32();
        var hidden = request.GetProperty("VisibilityTimeout").GetInt32();
        var wait = TimeSpan.FromSeconds(request.GetProperty("WaitTimeSeconds").GetInt32());
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        limit.CancelAfter(wait);
        while (true)
        {
            Task next;
            lock (gate)
            {
                var now = clock.GetUtcNow();
                var due = messages.Where(message => message.VisibleFrom <= now).Take(most).ToList();
                if (due.Count > 0)
                    return new JsonObject { ["Messages"] = new JsonArray([.. due.Select(message => Receive(message, now, hidden))]) };
                next = changed.Task;
            }
            try
            {
                // A message may also become visible by time alone.
                await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, limit.Token));
                limit.Token.ThrowIfCancellationRequested();
            }
            catch (OperationCanceledException)
            {
                return [];
            }
        }
    }

    static JsonObject Receive(QueuedMessage message, DateTimeOffset now, int hidden)
    {
        message.Received++;
        message.Receipt = Guid.NewGuid().ToString();
        message.VisibleFrom = now.AddSeconds(hidden);
        return new JsonObject
        {
            ["MessageId"] = message.Id,
            ["ReceiptHandle"] = message.Receipt,
            ["Body"] = message.Body,
            ["MD5OfBody"] = ETag(Encoding.UTF8.GetBytes(message.Body)),
            ["Attributes"] = new JsonObject { ["ApproximateReceiveCount"] = $"{message.Received}" },
        };
    }

    JsonObject Delete(JsonElement request)
    {
        lock (gate)
            messages.RemoveAll(message => message.Receipt == request.GetProperty("ReceiptHandle").GetString());
        return [];
    }

    JsonObject ChangeVisibility(JsonElement request)
    {
        lock (gate)
        {
            extended++;
            if (messages.Find(message => message.Receipt == request.GetProperty("ReceiptHandle").GetString()) is { } message)
                message.VisibleFrom = clock.GetUtcNow().AddSeconds(request.GetProperty("VisibilityTimeout").GetInt32());
        }
        return [];
    }

#pragma warning disable CA5351 // What S3 and SQS call a checksum.
    static string ETag(byte[] bytes) => Convert.ToHexStringLower(MD5.HashData(bytes));
#pragma warning restore CA5351

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(new CancellationToken(canceled: true));
        await app.DisposeAsync();
    }
}
