using System.Reflection;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Extensions.Time.Testing;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>A call ends by its deadline whatever the SDK does with its thread.</summary>
public sealed class DeadlineTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_SDK_that_blocks_or_ignores_its_token_is_left_behind(bool blocks)
    {
        var clock = new FakeTimeProvider();
        using var release = new ManualResetEventSlim();
        var client = StuckClient.Create(blocks, release);
        var store = new ObjectStore(Options, client, clock) { Calls = new BoundedCalls(clock) { Grace = TimeSpan.FromMilliseconds(10) } };
        for (var call = 0; call < BoundedCalls.MostAbandoned; call++)
        {
            var failure = await TimeOutAsync(store, clock);

            Assert.Contains("took longer than 30 s", failure.Message, StringComparison.Ordinal);
        }

        // Each holds a thread: there is an end to them.
        var last = await Assert.ThrowsAsync<SinkException>(() => PutAsync(store));
        release.Set();

        Assert.Contains("earlier requests have never returned", last.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_it()
    {
        var clock = new FakeTimeProvider();
        using var release = new ManualResetEventSlim();
        using var stop = new CancellationTokenSource();
        var store = new ObjectStore(Options, StuckClient.Create(blocks: true, release), clock)
        {
            Calls = new BoundedCalls(clock) { Grace = TimeSpan.FromMilliseconds(10) },
        };
        var putting = PutAsync(store, stop.Token);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => putting);
        release.Set();
    }

    static S3Options Options { get; } =
        new()
        {
            Region = "us-east-1",
            Bucket = "readings",
            Prefix = "a/",
            QuarantinePrefix = "b/",
            Endpoint = new Uri("http://127.0.0.1:1"),
        };

    static async Task<SinkException> TimeOutAsync(ObjectStore store, FakeTimeProvider clock)
    {
        var putting = PutAsync(store);
        clock.Advance(TimeSpan.FromMinutes(1));
        return await Assert.ThrowsAsync<SinkException>(() => putting);
    }

    static async Task<bool> PutAsync(ObjectStore store, CancellationToken stop = default)
    {
        using var body = new ObjectBody();
        body.Write("row\n"u8);
        return await store.PutAsync(new UploadObject("readings", "a/key", "text/plain", "plan", 1), body, stop);
    }

    /// <summary>A client whose PUT never returns.</summary>
    public class StuckClient : DispatchProxy
    {
        bool blocks;
        ManualResetEventSlim release = null!;

        public static IAmazonS3 Create(bool blocks, ManualResetEventSlim release)
        {
            var client = DispatchProxy.Create<IAmazonS3, StuckClient>();
            ((StuckClient)(object)client).blocks = blocks;
            ((StuckClient)(object)client).release = release;
            return client;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Assert.Equal(nameof(IAmazonS3.PutObjectAsync), targetMethod!.Name);
            if (!blocks)
                return new TaskCompletionSource<PutObjectResponse>().Task;
            release.Wait(TimeSpan.FromMinutes(2));
            return Task.FromException<PutObjectResponse>(new IOException("released"));
        }
    }
}
