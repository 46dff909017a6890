using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>A fake store, a journal and sinks between them, for the tests of a class.</summary>
public abstract class SinkTest : IAsyncLifetime
{
    private protected Spool Spool { get; } = new();

    private protected FakeS3 S3 { get; private set; } = null!;

    public async ValueTask InitializeAsync() => S3 = await FakeS3.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await S3.DisposeAsync();
        Spool.Dispose();
    }

    private protected S3Options Options(int files = 4) =>
        new()
        {
            Region = "us-east-1",
            Bucket = "readings",
            Prefix = "inverter-data/",
            QuarantinePrefix = "inverter-quarantine/",
            Credentials = new AwsCredentials(FakeS3.AccessKeyId, "secret"),
            Endpoint = S3.Address,
            Files = files,
        };

    private protected S3Sink NewSink(S3Options options, int retries = 1) => Spool.NewSink(options, S3Client.Create(options, retries));

    /// <summary>Opens a sink and sends everything there is, which must fail.</summary>
    private protected async Task<SinkException> FailAsync(S3Sink sink)
    {
        await sink.OpenAsync(Spool.Start(), default);
        return await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(Spool.Cut(Spool.Cursor, Spool.End), default));
    }

    /// <summary>Every reading up to <paramref name="count"/> is in the bucket once, and no object was written twice.</summary>
    private protected void AssertOnce(int count)
    {
        Assert.Equal(S3SinkTests.Numbers(1, count), S3.Sequences().Concat(S3.Sequences("inverter-quarantine/")).Order());
        Assert.All(S3.In(), entry => Assert.Equal(1, entry.Value.Writes));
        Assert.Equal(count, Spool.Cursor);
    }
}
